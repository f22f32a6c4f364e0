/** A media stream that is being captured. */
export interface Capture {
  /** Stops, and lets the microphone go. */
  stop(): Promise<void>;
}

const BLOCK_MS = 20;

/**
 * The microphone, without the browser's noise suppression and gain control: the network has learned noise and has a
 * gain control of its own. Echo cancellation stays, because a page that talks would hear itself.
 *
 * @throws {DOMException} The person or the browser refuses.
 * @throws {Error} The page is not served by https or localhost.
 */
export async function openMicrophone(): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new Error("the browser gives the microphone only to https and localhost pages.");
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false };
  return navigator.mediaDevices.getUserMedia({ audio });
}

/**
 * Captures a media stream.
 *
 * @param media Its tracks are stopped at the end.
 * @param assets Where the worklet is served.
 * @param onBlock Called with mono samples in [-1, 1], at the rate of the device, in Hz.
 * @param onEnded Called when the device ends the stream, for instance because it was unplugged.
 */
export async function capture(
  media: MediaStream,
  assets: URL,
  onBlock: (samples: Float32Array, sampleRate: number) => void,
  onEnded: () => void,
): Promise<Capture> {
  // Firefox refuses a context of another rate than the device's, so the context has the rate of the device.
  const context = new AudioContext({ latencyHint: "interactive" });
  const stop = async () => {
    for (const track of media.getTracks()) track.stop();
    if (context.state !== "closed") await context.close();
  };
  try {
    await context.audioWorklet.addModule(new URL("capture-worklet.js", assets));
    const blockLength = Math.round((context.sampleRate * BLOCK_MS) / 1000);
    const node = new AudioWorkletNode(context, "openvad-capture", {
      numberOfOutputs: 0,
      processorOptions: { blockLength },
    });
    node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => onBlock(data, context.sampleRate);
    context.createMediaStreamSource(media).connect(node);
    for (const track of media.getAudioTracks()) track.addEventListener("ended", onEnded);
    await context.resume();
    return {
      async stop() {
        node.port.onmessage = null;
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

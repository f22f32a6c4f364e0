import type { LiteRt } from "@litertjs/core";

type Wasm = LiteRt["liteRtWasm"];
type Buffer = InstanceType<Wasm["LiteRtTensorBuffer"]>;
type Environment = ReturnType<Wasm["LiteRtEnvironment"]["create"]>;
type CompiledModel = Awaited<ReturnType<Wasm["compileModel"]>>;

/** Arrays by name: the inputs, or the outputs, of a signature. */
export type Tensors = Record<string, Float32Array>;

interface Signature {
  index: number;
  inputs: Map<string, Buffer>;
  outputs: string[];
}

interface Runtime {
  wasm: Wasm;
  environment: Environment;
}

// The build without relaxed SIMD: it is as fast, and runs everywhere.
const LOADER = "litert_wasm_compat_internal.js";

const runtimes = new Map<string, Promise<Runtime>>();

/** LiteRT, loaded once for each place that it is served from. */
function loadRuntime(assets: string): Promise<Runtime> {
  let runtime = runtimes.get(assets);
  if (!runtime) {
    runtime = startRuntime(assets);
    runtime.catch(() => runtimes.delete(assets)); // so that the next call tries again
    runtimes.set(assets, runtime);
  }
  return runtime;
}

async function startRuntime(assets: string): Promise<Runtime> {
  const url = new URL(LOADER, assets).href;
  try {
    const start = await loadScript(url);
    const wasm = await start({
      locateFile: (name) => new URL(name, assets).href,
      printErr: (line) => {
        if (/^(ERROR|FATAL)/.test(line)) console.error(line);
      },
    });
    wasm.setupLogging();
    // @litertjs/core would ask for a graphics device here. Its calls would also take twice the time of a frame.
    return { wasm, environment: wasm.LiteRtEnvironment.create(null) };
  } catch (error) {
    const remedy = "Serve the folder dist/assets of openvad there.";
    throw new Error(`cannot start LiteRT from ${url}: ${error}. ${remedy}`, { cause: error });
  }
}

interface Settings {
  locateFile(name: string): string;
  printErr(line: string): void;
}

/** Runs LiteRT's loader, a classic script that leaves one global. */
async function loadScript(url: string): Promise<(settings: Settings) => Promise<Wasm>> {
  const script = document.createElement("script");
  script.src = url;
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`cannot load ${url}.`));
    document.head.append(script);
  });
  script.remove();
  const scope = globalThis as { ModuleFactory?: ((settings: Settings) => Promise<Wasm>) | undefined };
  const factory = scope.ModuleFactory!;
  scope.ModuleFactory = undefined; // a `var`, which cannot be deleted
  return factory;
}

/** A .tflite file, ready to run on the CPU. Calls copy all arrays in and out, so the state belongs to the caller. */
export class Graph {
  private constructor(
    private readonly wasm: Wasm,
    private readonly compiled: CompiledModel,
    private readonly signatures: Map<string, Signature>,
  ) {}

  /**
   * @param content The .tflite file.
   * @param assets Where LiteRT is served.
   * @throws {Error} LiteRT cannot be loaded, or it cannot run the file.
   */
  static async load(content: Uint8Array, assets: string): Promise<Graph> {
    const { wasm, environment } = await loadRuntime(assets);
    const address = wasm._malloc(content.byteLength); // the model keeps using it
    wasm.HEAPU8.set(content, address);
    const model = wasm.loadModel(environment, address, content.byteLength);
    const compiled = await wasm.compileModel(environment, model, { accelerator: "wasm" });
    const signatures = new Map<string, Signature>();
    for (let index = 0; index < model.getNumSignatures(); index++) {
      const signature = model.getSignature(index);
      const inputs = listed(signature.inputNames()).map((name, place): [string, Buffer] => {
        const type = model.getInputTensorType(index, place);
        const host = wasm.LiteRtTensorBufferType.HOST_MEMORY;
        return [name, wasm.LiteRtTensorBuffer.createManaged(environment, host, type, type.bytes())];
      });
      signatures.set(signature.key(), { index, inputs: new Map(inputs), outputs: listed(signature.outputNames()) });
    }
    return new Graph(wasm, compiled, signatures);
  }

  /** Runs a signature. */
  run(key: string, inputs: Tensors): Tensors {
    const { LiteRtTensorBufferLockMode: mode, HEAPU8: heap } = this.wasm;
    const signature = this.signatures.get(key)!;
    for (const [name, buffer] of signature.inputs) {
      const values = inputs[name]!;
      new Float32Array(heap.buffer, buffer.lock(mode.WRITE), values.length).set(values);
      buffer.unlock();
    }
    const buffers = this.compiled.run(signature.index, [...signature.inputs.values()]) as Buffer[];
    const outputs = buffers.map((buffer, place): [string, Float32Array] => {
      const begin = buffer.lock(mode.READ);
      const values = new Float32Array(this.wasm.HEAPU8.buffer.slice(begin, begin + buffer.packedSize()));
      buffer.unlock();
      buffer.delete();
      return [signature.outputs[place]!, values];
    });
    return Object.fromEntries(outputs);
  }

  /** Frees the memory. */
  destroy(): void {
    for (const { inputs } of this.signatures.values()) for (const buffer of inputs.values()) buffer.delete();
    this.compiled.delete();
  }
}

function listed(names: { size(): number; get(index: number): string; delete(): void }): string[] {
  const all = Array.from({ length: names.size() }, (_, index) => names.get(index));
  names.delete();
  return all;
}

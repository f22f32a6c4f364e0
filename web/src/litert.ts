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

const FLOAT_BYTES = 4;

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

/** A .tflite file, ready to run on the CPU. Calls copy all arrays in and out: between them, the state is the caller's. */
export class Graph {
  private constructor(
    private readonly wasm: Wasm,
    private readonly compiled: CompiledModel,
    private readonly signatures: Map<string, Signature>,
    private readonly free: () => void,
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
    let model: ReturnType<Wasm["loadModel"]>;
    let compiled: CompiledModel;
    try {
      model = wasm.loadModel(environment, address, content.byteLength);
      compiled = await wasm.compileModel(environment, model, { accelerator: "wasm" });
    } catch (error) {
      wasm._free(address);
      throw error;
    }
    const signatures = new Map<string, Signature>();
    for (let index = 0; index < model.getNumSignatures(); index++) {
      const signature = model.getSignature(index);
      const inputs = listed(signature.inputNames()).map((name, place): [string, Buffer] => {
        const type = model.getInputTensorType(index, place);
        const host = wasm.LiteRtTensorBufferType.HOST_MEMORY;
        const buffer = wasm.LiteRtTensorBuffer.createManaged(environment, host, type, type.bytes());
        type.delete();
        return [name, buffer];
      });
      signatures.set(signature.key(), { index, inputs: new Map(inputs), outputs: listed(signature.outputNames()) });
      signature.delete();
    }
    const free = () => {
      for (const { inputs } of signatures.values()) for (const buffer of inputs.values()) buffer.delete();
      compiled.delete();
      model.delete();
      wasm._free(address);
    };
    return new Graph(wasm, compiled, signatures, free);
  }

  /** The length of each input of a signature, by name. */
  inputLengths(key: string): Record<string, number> {
    const inputs = [...(this.signatures.get(key)?.inputs ?? [])];
    return Object.fromEntries(inputs.map(([name, buffer]) => [name, buffer.packedSize() / FLOAT_BYTES]));
  }

  /** Runs a signature. An output with the name of an input is written into the array of that input. */
  run(key: string, inputs: Tensors): Tensors {
    const { wasm } = this;
    const { READ, WRITE } = wasm.LiteRtTensorBufferLockMode;
    const signature = this.signatures.get(key)!;
    for (const [name, buffer] of signature.inputs) {
      const values = inputs[name]!;
      new Float32Array(wasm.HEAPU8.buffer, buffer.lock(WRITE), values.length).set(values);
      buffer.unlock();
    }
    const buffers = this.compiled.run(signature.index, [...signature.inputs.values()]) as Buffer[];
    const outputs: Tensors = {};
    buffers.forEach((buffer, place) => {
      const name = signature.outputs[place]!;
      const values = new Float32Array(wasm.HEAPU8.buffer, buffer.lock(READ), buffer.packedSize() / FLOAT_BYTES);
      if (inputs[name]) inputs[name].set(values);
      else outputs[name] = values.slice();
      buffer.unlock();
      buffer.delete();
    });
    return outputs;
  }

  /** Frees the memory. */
  destroy(): void {
    this.free();
  }
}

function listed(names: { size(): number; get(index: number): string; delete(): void }): string[] {
  const all = Array.from({ length: names.size() }, (_, index) => names.get(index));
  names.delete();
  return all;
}

/** Builds dist/: the modules, their types, and in dist/assets the models and LiteRT; and the style of the demo. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const litert = "node_modules/@litertjs/core/wasm/litert_wasm_compat_internal";

process.chdir(here);
rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc"], { stdio: "inherit" });
const { MODEL_NAMES } = await import("./dist/index.js");
const models = MODEL_NAMES.flatMap((name) => [`../models/${name}.tflite`, `../models/${name}.json`]);
mkdirSync("dist/assets");
for (const file of [`${litert}.js`, `${litert}.wasm`, "src/capture-worklet.js", ...models]) {
  cpSync(file, `dist/assets/${file.split("/").at(-1)}`);
}
cpSync("../LICENSE", "dist/LICENSE");
cpSync("../vad/report/templates/style.css", "demo/style.css");

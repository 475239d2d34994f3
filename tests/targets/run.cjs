// run.cjs FILE.wasm: what it writes goes to standard output.
const text = [];
let memory;
const env = { put: (at, n) => text.push(Buffer.from(memory.buffer.slice(at, at + n))) };
const code = new WebAssembly.Module(require('fs').readFileSync(process.argv[2]));
const instance = new WebAssembly.Instance(code, { env });
memory = instance.exports.memory;
const status = instance.exports.run();
process.stdout.write(Buffer.concat(text));
process.exit(status);

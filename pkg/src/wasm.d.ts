// The WebAssembly module as runtimes and their bundlers give it.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}

// As build.mjs puts it into index.ts.
declare module "*.wasm?base64" {
  const base64: string;
  export default base64;
}

// The WebAssembly module as the bundler puts it in: base64 text.
declare module "*.wasm" {
  const base64: string;
  export default base64;
}

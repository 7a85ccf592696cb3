// Starts the browser's part at once.
(script, wasm) => import(script).then((module) => module.default({ module_or_path: wasm }).then(() => module.hydrate()))

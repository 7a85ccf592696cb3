// Starts the browser's part at the first interaction. The page works without it, except for buttons that only scripts
// handle: the last one that was pressed too early is pressed again once the scripts have taken over.
(script, wasm) => {
  const root = document.documentElement;
  const events = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'scroll'];
  const options = { capture: true, passive: true };
  let pressed;
  const onClick = (event) => {
    pressed = event.target.closest('button[type=button]') ?? pressed;
  };
  const start = () => {
    events.forEach((event) => removeEventListener(event, start, options));
    addEventListener('click', onClick, options);
    new MutationObserver((_, observer) => {
      observer.disconnect();
      removeEventListener('click', onClick, options);
      pressed?.click();
    }).observe(root, { attributeFilter: ['data-hydrated'] });
    import(script).then((module) => module.default({ module_or_path: wasm }).then(() => module.hydrate()));
  };
  events.forEach((event) => addEventListener(event, start, options));
  if (document.activeElement !== document.body) start();
}

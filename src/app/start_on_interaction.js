// Starts the browser's part at the first interaction. The page works without it, except for buttons that only scripts
// handle: the last one that was pressed too early is pressed again once the scripts have taken over. `data-pressed` tells them
// that a press is waiting.
(script, wasm) => {
  const root = document.documentElement;
  const events = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'scroll', 'click'];
  const options = { capture: true, passive: true };
  let pressed;
  const onClick = ({ target }) => {
    pressed = target.closest('button[type=button]') ?? pressed;
    root.toggleAttribute('data-pressed', Boolean(pressed));
  };
  const forget = () => {
    pressed = undefined;
    root.removeAttribute('data-pressed');
  };
  const start = () => {
    events.forEach((event) => removeEventListener(event, start, options));
    new MutationObserver((_, observer) => {
      observer.disconnect();
      removeEventListener('click', onClick, options);
      const button = pressed;
      forget();
      button?.click();
    }).observe(root, { attributeFilter: ['data-hydrated'] });
    import(script).then((module) => module.default({ module_or_path: wasm }).then(() => module.hydrate()));
  };
  addEventListener('click', onClick, options);
  // Whoever goes on without the button does not wait for it any more.
  addEventListener('input', forget, options);
  events.forEach((event) => addEventListener(event, start, options));
  if (document.activeElement !== document.body) start();
}

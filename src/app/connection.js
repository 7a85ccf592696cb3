// Watches the connection to the server. `data-connection` on the root element says `on`, `offline` or `away` (the browser is
// online, but the server does not answer); CSS shows it. Links that are followed meanwhile wait, so that the page stays; the last
// one is opened once the server answers. Parts of the page that failed to load wait for `reconnect`.
(() => {
  const root = document.documentElement;
  let timer;
  const show = (state) => {
    const wasLost = root.dataset.connection !== 'on';
    root.dataset.connection = state;
    clearTimeout(timer);
    if (state === 'away') timer = setTimeout(check, 3000);
    if (state !== 'on') return;
    const { awaited, reload } = root.dataset;
    if (reload) return location.assign(reload);
    delete root.dataset.awaited;
    if (wasLost) dispatchEvent(new Event('reconnect'));
    if (awaited) follow(awaited);
  };
  const check = async () => {
    const reach = () => fetch('/icon.svg', { method: 'HEAD', cache: 'no-store' }).then((answer) => answer.ok, () => false);
    const isReached = navigator.onLine && (await reach());
    show(!navigator.onLine ? 'offline' : isReached ? 'on' : 'away');
  };
  // As a click, so that the application loads only what differs.
  const follow = (href) => {
    const link = Object.assign(document.createElement('a'), { href });
    document.body.append(link);
    link.click();
    link.remove();
  };
  const onClick = (event) => {
    const link = event.target.closest?.('a[href]:not([rel], [target], [download])');
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const waits = root.dataset.connection !== 'on' && isPlain && link?.origin === location.origin;
    // A new chat needs no data. Where there is no bar, nobody would understand why nothing happens.
    if (!waits || link.pathname === '/' || link.hash || !document.querySelector('.connection')) return;
    event.preventDefault();
    root.dataset.awaited = link.href;
  };
  root.dataset.connection = 'on';
  if (!navigator.onLine) show('offline');
  ['online', 'offline', 'unreachable'].forEach((event) => addEventListener(event, check));
  addEventListener('click', onClick, true);
})();

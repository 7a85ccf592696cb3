// Starts the browser's part with the page. Fetches the files of a bundle into the browser's cache when a link to one of its
// pages is hovered or focused, so that they are usually there when the link is followed.
(script, wasm, bundles) => {
  // Bookmarks from when the settings were one page. The server does not see the section.
  if (location.pathname === '/settings') {
    const has = (page) => page.test(location.hash);
    const page = has(/^#(activity|devices|passkeys|password-section|providers|two-step)$/) ? 'security' : has(/^#(data|delete|retention)$/) && 'data';
    if (page) return location.replace(`/settings/${page}${location.hash}`);
  }
  import(script).then((module) => module.default({ module_or_path: wasm }).then(() => module.hydrate()));
  const pages = { '': 'chat', chats: 'chat', sessions: 'admin', settings: 'admin', people: 'admin', audit: 'admin', jobs: 'admin', models: 'admin' };
  const onPointed = ({ target }) => {
    // Links that leave the application have a `rel`.
    const link = target.closest?.('a[href]:not([rel])');
    const bundle = link?.origin === location.origin ? pages[link.pathname.split('/')[1]] : undefined;
    const files = bundles[bundle];
    if (!files || document.documentElement.dataset.connection !== 'on') return;
    delete bundles[bundle];
    // Without a connection, the next link tries again.
    const onError = () => { bundles[bundle] = files; };
    files.forEach((file) => fetch(file).catch(onError));
  };
  addEventListener('pointerover', onPointed, { passive: true });
  addEventListener('focusin', onPointed);
}

// What the document of every page listens to. Visitors' pages too: someone who signs in there goes on in the same document.
(() => {
  // The composer has the focus nearly always, so its focus ring is only shown to people who move with the keyboard.
  const root = document.documentElement;
  addEventListener('keydown', ({ key }) => key === 'Tab' && root.setAttribute('data-keyboard', ''));
  addEventListener('pointerdown', () => root.removeAttribute('data-keyboard'));
  // Shortcuts have the key ⌘ there in place of Ctrl.
  if (/Mac OS|iPhone/.test(navigator.userAgent)) root.setAttribute('data-apple', '');
  // Passwords are typed blind. The hint below the field has its text in an attribute.
  const onPasswordKey = (event) => {
    const hint = event.target.closest?.('.password-field')?.nextElementSibling;
    const text = (event.getModifierState?.('CapsLock') && hint?.dataset.caps) || '';
    if (hint?.dataset.caps && hint.textContent !== text) hint.textContent = text;
  };
  ['keydown', 'keyup', 'focusout'].forEach((name) => addEventListener(name, onPasswordKey));
  // Going back to a chat leads to where it was read, and a link to its end. The history has the first message on the screen,
  // and how far it is from the place of the first line at the end. `components/transcript.rs` goes there.
  let timer;
  const onScroll = ({ target }) => {
    if (!target.matches?.('.scroller')) return;
    const read = location.href;
    const note = () => {
      const { top } = target.getBoundingClientRect();
      const row = [...target.querySelectorAll('.message')].find((message) => message.getBoundingClientRect().bottom > top);
      if (row && read === location.href) history.replaceState({ ...history.state, place: `${row.id} ${row.offsetTop - target.scrollTop}` }, '');
    };
    clearTimeout(timer);
    timer = setTimeout(note, 200);
  };
  addEventListener('scroll', onScroll, { capture: true, passive: true });
  const goTo = (place) => root.setAttribute('data-place', place);
  addEventListener('popstate', ({ state }) => goTo(state?.place ?? ''));
  addEventListener('click', ({ target }) => target.closest?.('a[href^="/chats/"]') && goTo(''), true);
  // The appearance belongs to this browser: a choice applies at once, and a cookie tells the server. Words that the document
  // leaves out are the defaults (`domain/appearance.rs`).
  const defaults = ['system', 'normal', 'send'];
  const attributes = ['data-theme', 'data-text', 'data-enter'];
  const applyAppearance = ({ name, value }) => {
    if (defaults.includes(value)) root.removeAttribute(`data-${name}`);
    else root.setAttribute(`data-${name}`, value);
    const words = attributes.map((attribute) => root.getAttribute(attribute)).filter(Boolean);
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `appearance=${words.join('.')}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    const theme = root.getAttribute('data-theme');
    // In the order of the document.
    const metas = document.querySelectorAll('meta[name=theme-color]');
    ['light', 'dark'].forEach((of, index) => {
      if (metas[index]) metas[index].media = !theme ? `(prefers-color-scheme: ${of})` : theme === of ? 'all' : 'not all';
    });
    // The sidebar and the settings may both show the choice.
    document.querySelectorAll(`.appearance [name=${name}]`).forEach((input) => (input.checked = input.value === value));
    const saved = document.querySelector('[data-saved]');
    if (!saved) return;
    saved.textContent = saved.dataset.saved;
    clearTimeout(saved.timer);
    saved.timer = setTimeout(() => (saved.textContent = ''), 2000);
  };
  addEventListener('change', ({ target }) => {
    if (target.closest('.appearance')) applyAppearance(target);
    // Other choices are forms that are sent when they change.
    else if (target.hasAttribute('data-save')) target.form.requestSubmit();
  });
})();

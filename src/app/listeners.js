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
  // and how far it is from the place of the first line at the end.
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
  // The page may still load, in the scroller of the page before, and rows get their height when they are on the screen. So
  // this goes on until nothing moves any more, or the reader does something.
  let current = 0;
  const goTo = (place) => {
    const [id, top] = place.split(' ');
    const first = () => document.querySelector('.message');
    const [before, until, self] = [first()?.id, Date.now() + 3000, ++current];
    let still = 0;
    const step = () => {
      if (self !== current || still > 2 || Date.now() > until) return;
      const [scroller, known] = [document.querySelector('.scroller'), id && document.getElementById(id)];
      if (scroller && (known || (first() && first().id !== before))) {
        const wanted = known ? known.offsetTop - top : 0;
        still = Math.abs(scroller.scrollTop - wanted) < 2 ? still + 1 : 0;
        scroller.scrollTop = wanted;
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  };
  addEventListener('popstate', ({ state }) => goTo(state?.place ?? ''));
  addEventListener('click', ({ target }) => target.closest?.('a[href^="/chats/"]') && goTo(''), true);
  ['wheel', 'touchmove', 'keydown'].forEach((name) => addEventListener(name, () => current++, { capture: true, passive: true }));
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

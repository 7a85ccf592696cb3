import { expect, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';
import { newPerson } from '../person.ts';

// Each would run, load or break something if it were not rendered as text.
const PAYLOADS = [
  '<img src=x onerror="document.title=1">',
  '<svg onload=alert(1)>',
  '</script><script>document.title="broken"</script>',
  '<!--<script>',
  '[a link](javascript:document.title=1)',
  '[another](JaVaScRiPt:alert(1)) [data](data:text/html,<script>alert(1)</script>) [vb](vbscript:x)',
  '![picture](http://198.51.100.7/canary.png)',
  '<iframe srcdoc="<script>parent.document.title=1</script>"></iframe>',
  '<style>body{display:none}</style><base href="http://198.51.100.7/">',
  '<meta http-equiv="refresh" content="0;url=http://198.51.100.7/">',
  '<form action="http://198.51.100.7/"><input name=q></form>',
  '<math><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '$\\href{javascript:alert(1)}{x}$ {{7*7}} ${7*7} ]]>',
  '<a id="location" name="__proto__">x</a>',
  '\u202Eevil\u2028line\u2029paragraph\uFEFF"\'`\\0',
];

test('x01_payloads in titles, questions and answers stay text', async ({ chat, sessions, person, page }) => {
  test.slow();
  expect(person.email).toBeTruthy();
  const dialogs: string[] = [];
  page.on('dialog', async (dialog) => {
    dialogs.push(dialog.message());
    await dialog.dismiss();
  });
  for (const payload of PAYLOADS) {
    await chat.openNew();
    // The question, the answer and the title contain the payload.
    await chat.ask(`echo ${payload}`);
    await expect(chat.send).toBeVisible();
    await expect(chat.questions.last()).toContainText(payload.slice(0, 6).trim());
    for (let look = 0; look < 2; look++) {
      const harm = await page.evaluate(() => {
        const answers = [...document.querySelectorAll('article')];
        const elements = answers.flatMap((answer) => [...answer.querySelectorAll('*')]);
        const bad = elements.filter(
          (element) =>
            (/^(script|iframe|object|embed|style|base|meta|link)$/i.test(element.tagName) && !element.closest('noscript')) ||
            [...element.attributes].some(({ name, value }) => /^on/i.test(name) || (/^(href|src|action|xlink:href)$/i.test(name) && /^\s*(javascript|data|vbscript):/i.test(value))) ||
            (element.tagName === 'IMG' && !element.getAttribute('src')?.startsWith('/')) ||
            ['location', '__proto__', 'constructor'].includes(element.id),
        );
        return bad.map((element) => element.outerHTML);
      });
      expect(harm, payload).toEqual([]);
      await page.reload();
    }
  }
  await sessions.open();
  await expect(sessions.rows).toHaveCount(PAYLOADS.length);
  await expect(page).toHaveTitle(/Chats/);
  expect(dialogs).toEqual([]);
});

test('h04_each page has a policy with a new nonce, and no script without it', async ({ chat, person, page, request, colloquy }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('hello');
  const nonces = new Set<string>();
  for (const path of ['/', '/sessions', chat.path, '/nowhere']) {
    const answer = await page.request.get(path, { headers: { accept: 'text/html' } });
    const policy = answer.headers()['content-security-policy'] ?? '';
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
    expect(nonce.length, path).toBeGreaterThan(15);
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*/);
    expect(policy).toContain("frame-ancestors 'none'");
    nonces.add(nonce);
    const html = await answer.text();
    for (const [tag] of html.matchAll(/<script\b[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`);
    expect(html).not.toMatch(/<[^>]+\son[a-z]+=/);
    expect(html).not.toMatch(/<[^>]+\sstyle=/);
    expect(answer.headers()['cache-control']).toContain('no-store');
  }
  expect(nonces.size).toBe(4);
  const stranger = await request.get(`${colloquy.url}/sign-in`);
  expect(stranger.headers()['x-content-type-options']).toBe('nosniff');
});

test('a form sent by another site is rejected', async ({ chat, sessions, person, page, colloquy, pageErrors }) => {
  expect(person.email).toBeTruthy();
  pageErrors.allow(/status of 403/);
  await chat.ask('mine alone');
  const forged = await page.request.post(`${colloquy.url}/api/sign_out`, { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } });
  expect(forged.status()).toBe(403);
  await sessions.open();
  await expect(sessions.rows).toHaveCount(1);
});

test('another user’s chat looks like a missing one', async ({ chat, person, page, browser, colloquy, hydrated }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('private matters');
  const path = chat.path;
  const other = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const theirs = await other.newPage();
  await new AccountPages(theirs, hydrated).signUp(newPerson());
  const statuses = [];
  for (const address of [path, `/chats/${crypto.randomUUID()}`]) {
    const answer = await theirs.goto(address);
    statuses.push(answer?.status());
    await expect(theirs.getByRole('heading', { name: 'Not found' })).toBeVisible();
    await expect(theirs.getByText('private matters')).toHaveCount(0);
  }
  expect(statuses).toEqual([404, 404]);
  await other.close();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('private matters');
});

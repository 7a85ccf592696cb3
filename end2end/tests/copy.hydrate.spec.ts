// The copy button shows whether copying succeeded, and only after it has.
import { expect, test } from '../fixtures.ts';

test('copy: success is shown only after copying, and failure is shown too', async ({ chat, person, page, context, pageErrors }) => {
  expect(person.email).toBeTruthy();
  pageErrors.allow(/Failed to load resource/);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await chat.openNew();
  await chat.ask('copy me');
  await expect(chat.answer).toContainText('You said: copy me');
  const copy = chat.answer.getByRole('button', { name: 'Copy', exact: true });

  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route(
    '**/api/message_text',
    async (route) => {
      await gone;
      await route.continue();
    },
    { times: 1 },
  );
  await copy.click();
  await expect(copy).toBeVisible();
  go();
  await expect(chat.answer.getByRole('button', { name: 'Copied', exact: true })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('You said: copy me');
  await expect(copy).toBeVisible();

  await page.route('**/api/message_text', (route) => route.abort(), { times: 1 });
  await copy.click();
  await expect(chat.answer.getByRole('button', { name: "Couldn't copy" })).toBeVisible();
  await expect(copy).toBeVisible();

  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'));
  });
  await copy.click();
  await expect(chat.answer.getByRole('button', { name: "Couldn't copy" })).toBeVisible();
});

test('copy: a code block shows and announces that it was copied', async ({ chat, person, page, context, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const code = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join('');
  await chat.ask(`echo \`\`\`\n${code}\`\`\``);
  await expect(chat.retry).toBeVisible();
  await chat.open(chat.path);
  await expectAccessible();
  await chat.answer.getByRole('button', { name: 'Copy code' }).click();
  await expect(chat.answer.getByRole('button', { name: 'Copied code' })).toBeVisible();
  await expect(page.locator('[aria-live=polite]').filter({ hasText: 'Copied' })).toBeAttached();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
  await expect(chat.answer.getByRole('button', { name: 'Copy code' })).toBeVisible();
});

// An open page whose chat was deleted in another window.
import { expect, test } from '../fixtures.ts';

test.beforeEach(({ pageErrors }) => pageErrors.allow(/Failed to load resource/, /4(04|10)/));

test('deleted: a page with a running answer stops polling and shows why', async ({ chat, person, page }) => {
  await chat.openNew();
  await chat.ask(`gate deleted-${person.email}`);
  await expect(chat.stop).toBeVisible();
  const deleted = await page.context().request.post('/api/change_chats', {
    form: { 'chats[]': chat.path.split('/').pop()!, action: 'delete' },
    headers: { accept: 'application/json', origin: new URL(page.url()).origin, 'sec-fetch-site': 'same-origin' },
  });
  expect(deleted.status()).toBe(200);
  await expect(page.getByText('This chat was deleted in another window.')).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText('Reconnecting')).toHaveCount(0);
  await expect(chat.stop).toHaveCount(0);

  // The page no longer requests the answer or the chat, checked for twice the longest interval between two attempts.
  const asked: string[] = [];
  page.on('request', (request) => {
    if (/\/runs\/|find_chat/.test(request.url())) asked.push(request.url());
  });
  await page.waitForTimeout(8_000);
  expect(asked).toEqual([]);
});

test('deleted: going back to a chat that was deleted in the sidebar offers to restore it', async ({ chat, page, person }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('Hello');
  await expect(chat.retry).toBeVisible();
  const path = chat.path;
  await page.getByRole('main').getByLabel(/^Actions for/).click();
  await page.getByRole('main').getByRole('button', { name: 'Delete chat' }).click();
  await expect(page).toHaveURL(/\/$/);
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`${path}$`));
  await expect(page.getByRole('heading', { level: 1, name: 'This chat was deleted' })).toBeVisible();
  // There is another one in the toast.
  await page.getByRole('main').getByRole('button', { name: 'Undo' }).click();
  await expect(chat.answer).toContainText('You said: Hello');
});

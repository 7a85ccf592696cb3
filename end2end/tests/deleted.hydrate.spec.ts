// What an open page says when its chat has been deleted elsewhere.
import { expect, test } from '../fixtures.ts';

test.beforeEach(({ watch }) => watch.expect(/Failed to load resource/, /404/));

test('deleted: an answer under way stops asking and says why', async ({ chat, person, page }) => {
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

  // Nobody asks for the answer or the chat any more, for twice as long as the longest pause between two tries.
  const asked: string[] = [];
  page.on('request', (request) => {
    if (/\/runs\/|find_chat/.test(request.url())) asked.push(request.url());
  });
  await page.waitForTimeout(8_000);
  expect(asked).toEqual([]);
});

import { expect, test } from '../fixtures.ts';

test.use({ own: {} });

test('what was written before a crash is there after it, and Continue goes on', async ({ chat, sessions, person, colloquy, watch }) => {
  watch.expect(/ERR_|Failed to fetch|net::|EventSource|status of 5/);
  await chat.ask(`gate crash-${person.email}`);
  await expect(chat.answer).toContainText('The first half');
  const path = chat.path;
  // Text is stored at most half a second after it came.
  await new Promise((done) => setTimeout(done, 700));
  await colloquy.end('SIGKILL');
  await colloquy.begin();

  await sessions.open();
  await expect(sessions.row('gate crash')).toBeVisible();
  await chat.open(path);
  await expect(async () => {
    await chat.open(path);
    await expect(chat.answer).toContainText(/server stopped/i, { timeout: 2_000 });
  }).toPass({ timeout: 40_000 });
  await expect(chat.answer).toContainText('The first half');
  await chat.continue.click();
  await expect(chat.answer).toContainText('The second half');
  await expect(chat.answer).toContainText('The first half');
});

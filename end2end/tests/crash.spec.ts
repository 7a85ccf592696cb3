import { expect, test } from '../fixtures.ts';

test.use({ serverSettings: {} });

test('the text before a crash survives it, and Continue resumes', async ({ chat, sessions, person, colloquy, pageErrors }) => {
  pageErrors.allow(/ERR_|Failed to fetch|net::|EventSource|status of 5/);
  await chat.ask(`gate crash-${person.email}`);
  await expect(chat.answer).toContainText('The first half');
  const path = chat.path;
  // Text is stored at most half a second after it arrived.
  await new Promise((done) => setTimeout(done, 700));
  await colloquy.stop('SIGKILL');
  await colloquy.launch();

  await sessions.open();
  await expect(sessions.row('gate crash')).toBeVisible();
  await chat.open(path);
  await expect(async () => {
    await chat.open(path);
    await expect(chat.answer).toContainText(/server restarted/i, { timeout: 2_000 });
  }).toPass({ timeout: 40_000 });
  await expect(chat.answer).toContainText('The first half');
  await chat.continue.click();
  await expect(chat.answer).toContainText('The second half');
  await expect(chat.answer).toContainText('The first half');
});

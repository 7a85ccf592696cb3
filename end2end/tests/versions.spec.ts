// Versions of messages: stepping through them, with and without scripts.
import { expect, test } from '../fixtures.ts';

test('each version of an answer can be shown, with what follows it', async ({ chat, person, page, expectAccessible }) => {
  await chat.ask(`cut ${person.email}`);
  await expect(chat.answer).toContainText('The answer begins');
  await expect(chat.version(chat.answer, 'previous')).toHaveCount(0);
  await chat.retry.click();
  await expect(chat.answer).toContainText('The answer goes on to its end.');
  await expect(chat.answer).toContainText('2 / 2');
  await expect(chat.version(chat.answer, 'next')).toBeDisabled();
  await expectAccessible();
  await chat.exchange('Thank you');

  await chat.version(chat.answers.first(), 'previous').click();
  await expect(chat.answers).toHaveCount(1);
  await expect(chat.answer).toContainText('The answer begins');
  await expect(chat.answer.getByRole('button', { name: 'Version 1 of 2, next version' })).toBeEnabled();
  await expect(chat.version(chat.answer, 'previous')).toBeDisabled();
  await chat.open(chat.path);
  await expect(chat.answer).toContainText('The answer begins');
  await chat.exchange('What was that?');

  for (const [which, text] of [['next', 'Thank you'], ['previous', 'What was that?']] as const) {
    await chat.version(chat.answers.first(), which).click();
    await expect(chat.questions.last()).toContainText(text);
    await expect(chat.questions).toHaveCount(2);
  }
  await page.reload();
  await expect(chat.questions.last()).toContainText('What was that?');
});

test('no version can be chosen while an answer is written', async ({ chat, person, colloquy }) => {
  await chat.ask(`fail 500 ${person.email}`);
  await expect(chat.answer).toContainText('The provider had an error');
  await chat.retry.click();
  await expect(chat.answer).toContainText('This time it went well.');
  await expect(chat.send).toBeVisible();
  const gate = `versions-${person.email}`;
  await chat.ask(`gate ${gate}`);
  await expect(chat.answer).toContainText('The first half');
  await expect(chat.version(chat.answers.first(), 'previous')).toBeDisabled();
  colloquy.upstream.release(gate);
  await expect(chat.answer).toContainText('The second half');
  await expect(chat.version(chat.answers.first(), 'previous')).toBeEnabled();
});

test('an earlier answer can be generated again', async ({ chat, person }) => {
  await chat.ask(`cut ${person.email}`);
  await expect(chat.answer).toContainText('The answer begins');
  await chat.exchange('And now?');
  await chat.answers.first().getByRole('button', { name: 'Retry', exact: true }).click();
  await expect(chat.answer).toContainText('The answer goes on to its end.');
  await expect(chat.questions).toHaveCount(1);
  await expect(chat.answer).toContainText('2 / 2');
  await chat.version(chat.answer, 'previous').click();
  await expect(chat.questions.last()).toContainText('And now?');
  await expect(chat.answers.first()).toContainText('The answer begins');
});

test('a question can be edited, and both versions stay', async ({ chat, person, page, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.exchange('one');
  await chat.exchange('two');
  await chat.edit(chat.questions.first());
  await expect(chat.editor).toHaveValue('one');
  await expectAccessible();
  await page.getByRole('link', { name: 'Cancel' }).click();
  await expect(chat.editor).toHaveCount(0);
  await expect(chat.questions.first()).toContainText('one');

  await chat.edit(chat.questions.first());
  await chat.editor.fill('three\n\n<b>');
  await page.locator('.editor').getByRole('button', { name: 'Send' }).click();
  await expect(chat.answer).toContainText('You said: three');
  await expect(chat.questions).toHaveCount(1);
  await expect(chat.questions.first()).toContainText('<b>');
  await expect(chat.questions.first()).toContainText('2 / 2');
  await expect(chat.send).toBeVisible();
  await chat.version(chat.questions.first(), 'previous').click();
  await expect(chat.questions).toHaveCount(2);
  await expect(chat.answers.last()).toContainText('You said: two');
});

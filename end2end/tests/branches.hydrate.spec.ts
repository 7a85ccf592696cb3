// Branches: a chat that goes on elsewhere, and messages that are deleted with what follows them.
import { expect, test } from '../fixtures.ts';

test('a chat goes on in a new one from an answer', async ({ chat, person, page, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.exchange('one');
  await chat.exchange('two');
  const original = page.url();
  await chat.openMore(chat.answers.first());
  await expectAccessible();
  await page.getByRole('button', { name: 'Continue in a new chat' }).click();
  await expect(page).not.toHaveURL(original);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('one (2)');
  await expect(chat.questions).toHaveCount(1);
  await chat.exchange('three');
  await page.goto(original);
  await expect(chat.questions.last()).toContainText('two');
});

test('a message is deleted with what follows it, after a second click', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.exchange('one');
  await chat.exchange('two');
  await chat.openMore(chat.questions.last());
  const remove = page.getByRole('button', { name: 'Delete', exact: true });
  await expect(remove).toBeHidden();
  await page.getByText('Delete from here…').click();
  await page.keyboard.press('Escape');
  await expect(remove).toHaveCount(0);
  await chat.openMore(chat.questions.last());
  await page.getByText('Delete from here…').click();
  await remove.click();
  await expect(chat.questions).toHaveCount(1);
  await expect(chat.answer).toContainText('You said: one');

  await chat.openMore(chat.questions.first());
  await page.getByText('Delete from here…').click();
  await remove.click();
  await expect(page).toHaveURL(/\/sessions\?deleted=/);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('link', { name: /one/ }).first()).toBeVisible();
});

test('nothing of a branch is offered while an answer is written', async ({ chat, person, colloquy, page }) => {
  const gate = `branch-${person.email}`;
  await chat.ask(`gate ${gate}`);
  await expect(chat.answer).toContainText('The first half');
  await chat.openMore(chat.questions.first());
  await expect(page.getByRole('button', { name: 'Continue in a new chat' })).toBeHidden();
  colloquy.upstream.release(gate);
  await expect(chat.answer).toContainText('The second half');
  await expect(page.getByRole('button', { name: 'Continue in a new chat' })).toBeVisible();
});

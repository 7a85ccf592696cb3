// Marks at chats whose answer ended while nobody was looking at it.
import { expect, test } from '../fixtures.ts';

test('an answer that ended elsewhere is marked until its chat is opened', async ({ chat, colloquy, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('gate unread-elsewhere');
  await expect(chat.answer).toContainText('The first half of unread-elsewhere.');
  await chat.open('/sessions');
  await expect(page).toHaveTitle(/^Chats/);
  colloquy.upstream.release('unread-elsewhere');
  await expect(page).toHaveTitle(/^\(1\) Chats/, { timeout: 15_000 });

  await chat.open('/sessions');
  const marked = page.getByRole('main').getByRole('link', { name: /unread answer/ });
  await expect(marked).toHaveCount(1);
  await expect(page).toHaveTitle(/^\(1\) Chats/);
  await marked.click();
  await expect(chat.answer).toContainText('The second half of unread-elsewhere.');
  await expect(page).toHaveTitle(/^gate unread-elsewhere/);
  await chat.open('/sessions');
  await expect(page).toHaveTitle(/^Chats/);
  await expect(marked).toHaveCount(0);
});

test('an answer that is read to its end is not marked', async ({ chat, colloquy, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('gate unread-here');
  await expect(chat.answer).toContainText('The first half of unread-here.');
  colloquy.upstream.release('unread-here');
  await expect(chat.answer).toContainText('The second half of unread-here.');
  await chat.open('/sessions');
  await expect(page).toHaveTitle(/^Chats/);
  await expect(page.getByRole('main').getByRole('link', { name: /unread answer/ })).toHaveCount(0);
});

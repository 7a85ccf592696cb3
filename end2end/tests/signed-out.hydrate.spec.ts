// An open page whose session was ended elsewhere.
import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';

/** Signs this browser out, bypassing the page. */
async function signOut(page: Page): Promise<void> {
  const answer = await page.context().request.post('/api/sign_out', {
    form: {},
    headers: { accept: 'application/json', origin: new URL(page.url()).origin, 'sec-fetch-site': 'same-origin' },
  });
  expect(answer.status()).toBe(200);
}

test.beforeEach(({ pageErrors }) => pageErrors.allow(/Failed to load resource/, /401/));

test('signed out: a page with a running answer stops polling, and sign-in returns to it', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask(`gate signed-out-${person.email}`);
  await expect(chat.stop).toBeVisible();
  const path = chat.path;
  await signOut(page);
  const notice = page.getByRole('alert').filter({ hasText: 'Please sign in again.' });
  await expect(notice).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText('Reconnecting')).toHaveCount(0);
  await expect(notice.getByRole('link', { name: 'Sign in' })).toHaveAttribute('href', `/sign-in?next=${encodeURIComponent(path)}`);

  // The page sends no more requests, checked for twice the longest interval between two attempts.
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.waitForTimeout(10_000);
  await expect(notice).toBeVisible();
  expect(asked).toEqual([]);

  await notice.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(new RegExp(`${path}$`));
});

test('signed out: sending a message shows the notice and keeps the draft', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('Hello');
  await expect(chat.answer).toContainText('You said: Hello');
  await signOut(page);
  await chat.composer.fill('not lost');
  await chat.send.click();
  await expect(page.getByRole('alert').filter({ hasText: 'Please sign in again.' })).toBeVisible();
  await expect(page.getByText('Please sign in again.')).toHaveCount(1);
  await expect(chat.composer).toHaveValue('not lost');

  // At the field too, with the way back to the draft.
  const path = chat.path;
  const notice = page.getByRole('alert').filter({ hasText: "You're signed out. What you wrote is kept here." });
  await notice.getByRole('link', { name: 'Sign in to continue' }).click();
  await page.getByLabel('Email').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`${path}$`));
  await expect(chat.composer).toHaveValue('not lost');
  await expect(notice).toHaveCount(0);
  await chat.send.click();
  await expect(chat.answer).toContainText('You said: not lost');
});

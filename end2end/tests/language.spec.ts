import { waitForHydration } from '../hydration.ts';
import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';

test('the pages are in the chosen language', async ({ settings, person, page, hydrated, expectAccessible, pageErrors }) => {
  pageErrors.allow(/status of 422/);
  expect(person.name).toBeTruthy();
  await settings.open();
  await settings.choose('Language and time', 'Language', { label: 'Deutsch' });
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(page.getByRole('heading', { level: 1, name: 'Profil' })).toBeVisible();
  await waitForHydration(page, hydrated);
  await expectAccessible();
  await expectNoSidewaysScroll(page);

  // An error of the server, translated by the page.
  await settings.edit('Name');
  await page.getByRole('region', { name: 'Name', exact: true }).getByRole('textbox').fill('Ada\u202Enimda');
  await page.getByRole('region', { name: 'Name', exact: true }).getByRole('button').click();
  await expect(page.getByText(/unsichtbare/)).toBeVisible();

  await page.goto('/');
  await waitForHydration(page, hydrated);
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(page.getByRole('textbox', { name: 'Nachricht' })).toBeVisible();
  await page.getByRole('textbox', { name: 'Nachricht' }).fill('markdown');
  await page.getByRole('button', { name: 'Senden' }).click();
  await expect(page).toHaveURL(/\/chats\//);
  // Labels in an answer, as it is written and as it is read later.
  const answer = page.getByRole('article').last();
  await expect(answer.getByRole('group', { name: 'Tabelle' })).toBeVisible();
  await expect(answer.getByText('Umbrechen')).toBeAttached();
  await page.reload();
  await expect(answer.getByRole('checkbox', { name: 'Erledigt', exact: true })).toBeChecked();
});

test('anonymous users get the language of their browser', async ({ browser, colloquy, hydrated, person }) => {
  // Without any account, the sign-in page redirects to the set-up of the first account.
  expect(person.name).toBeTruthy();
  const context = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated, locale: 'de-AT' });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto('/sign-in');
  await waitForHydration(page, hydrated);
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(page.getByRole('button', { name: 'Anmelden', exact: true })).toBeVisible();
  // This page is rendered in the browser, with texts loaded there.
  await page.getByRole('link', { name: 'Passwort vergessen' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Passwort');
  expect(errors).toEqual([]);
  await context.close();
});

test('signed-in users get the language of their account', async ({ settings, person, page, browser, colloquy, hydrated }) => {
  await settings.open();
  await settings.choose('Language and time', 'Language', { label: 'Deutsch' });
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  const context = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated, locale: 'en-GB' });
  const other = await context.newPage();
  const account = new AccountPages(other, hydrated);
  await account.openSignIn();
  await account.fillSignIn(person.email, person.password);
  await expect(other.locator('html')).toHaveAttribute('lang', 'de');
  await expect(other.getByRole('textbox', { name: 'Nachricht' })).toBeVisible();
  await context.close();
});

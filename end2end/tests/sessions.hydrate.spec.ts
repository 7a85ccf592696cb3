// The list of chats with the keyboard, and selections.
import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

test.beforeEach(async ({ person, colloquy, sessions }) => {
  seedChats(colloquy, person.email, ['One', 'Two', 'Three', 'Four'].map((title) => ({ title, messages: 2 })));
  await sessions.open();
});

test('a click with Shift selects a range, and Escape clears the selection', async ({ sessions, page }) => {
  await sessions.select('Three');
  await sessions.row('One').locator('.session-check').click({ modifiers: ['Shift'] });
  await expect(sessions.actions).toContainText('3 selected');
  await expect(sessions.row('Two').getByRole('checkbox')).toBeChecked();
  await expect(sessions.row('Four').getByRole('checkbox')).not.toBeChecked();
  await sessions.actions.getByRole('button', { name: 'Select all' }).click();
  await expect(sessions.actions).toContainText('4 selected');
  await page.keyboard.press('Escape');
  await expect(sessions.actions).toBeHidden();
  // On touch screens the check boxes are hidden again.
  await expect(sessions.row('Two').locator('.checkbox')).not.toBeChecked();
});

test('Delete deletes the focused chat, and the focus goes to the next one and back', async ({ sessions, page }) => {
  await sessions.row('Two').getByRole('link').focus();
  await page.keyboard.press('Delete');
  await expect(sessions.row('Two')).toHaveCount(0);
  await expect(sessions.row('Three').getByRole('link')).toBeFocused();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(sessions.row('Two').getByRole('link')).toBeFocused();
  // The last chat has none below it.
  await sessions.row('Four').getByRole('link').focus();
  await page.keyboard.press('Delete');
  await expect(sessions.row('Three').getByRole('link')).toBeFocused();
});

test('Delete deletes the selected chats, but not while a text is edited', async ({ sessions, page }) => {
  await sessions.select('Two');
  await sessions.select('Three');
  await page.keyboard.press('Delete');
  await expect(sessions.rows).toHaveCount(2);
  // On touch screens the search returns when the selection ends.
  await page.keyboard.press('Escape');
  await sessions.search.fill('One');
  await sessions.search.press('Home');
  await sessions.search.press('Delete');
  await expect(sessions.search).toHaveValue('ne');
  await expect(sessions.row('One')).toHaveCount(1);
});

test('archiving can be undone', async ({ sessions, page }) => {
  await sessions.choose('Two', 'Archive');
  await expect(sessions.row('Two')).toHaveCount(0);
  await expect(page.getByText('Chat archived')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(sessions.row('Two')).toBeVisible();
});

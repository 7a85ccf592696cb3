import { waitForHydration } from '../hydration.ts';
import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { seedJobs } from '../seed.ts';

// Without a mail server, so that the seeded mails are not sent.
test.use({ serverSettings: {} });

test('an administrator sees failed jobs, retries one and gives one up', async ({ person, page, colloquy, hydrated, expectAccessible }) => {
  expect(person.name).toBeTruthy();
  seedJobs(colloquy, [
    { kind: 'send_mail', state: 'failed', recipient: 'nobody@example.org', error: `550 no mailbox ${'x'.repeat(150)}`, attempts: 9 },
    { kind: 'send_mail', state: 'waiting', recipient: 'later@example.org', error: '451 try again later', attempts: 1 },
    { kind: 'build_export', state: 'failed', error: 'no space left on the disk', attempts: 5 },
  ]);
  await page.goto('/jobs');
  await waitForHydration(page, hydrated);
  await expectNoSidewaysScroll(page);
  await expectAccessible();
  const main = page.getByRole('main');
  const rows = main.getByRole('listitem');
  const failed = rows.filter({ hasText: 'Failed' });
  await expect(main.getByText('2 failed')).toBeVisible();
  await expect(failed).toHaveCount(2);
  await expect(rows.first()).toContainText('Failed');
  await expect(rows.filter({ hasText: 'nobody@example.org' }).getByRole('button')).toHaveText(['Give up']);
  const later = rows.filter({ hasText: 'later@example.org' });
  await expect(later).toContainText(/Next attempt in \d+ minutes · 1 attempt/);
  await expect(rows.filter({ hasText: 'Delete expired records' })).toContainText('Scheduled');

  await page.getByRole('button', { name: 'Try again: Prepare a data export' }).click();
  await expect(main.getByText('The job will run again as soon as possible.')).toBeVisible();
  await expect(failed).toHaveCount(1);
  await page.getByRole('button', { name: 'Give up: Send an email, later@example.org' }).click();
  await expect(main.getByText('The job was given up.')).toBeVisible();
  await expect(later).toHaveCount(0);
  await main.getByRole('link', { name: 'Refresh' }).click();
  await expect(main.getByText('1 failed')).toBeVisible();
  await expect(later).toHaveCount(0);

  await page.goto('/audit');
  await page.getByLabel('Event').selectOption('give_up_job');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('Send an email');
});

test.describe('with a dark colour scheme', () => {
  test.use({ colorScheme: 'dark' });

  test('the menu links to the jobs, and the page is accessible', async ({ person, page, colloquy, hydrated, expectAccessible }) => {
    expect(person.name).toBeTruthy();
    seedJobs(colloquy, [
      { kind: 'send_mail', state: 'failed', recipient: 'nobody@example.org', error: '550 no mailbox', attempts: 1 },
      { kind: 'send_mail', state: 'waiting', recipient: 'later@example.org', error: '451 try again later', attempts: 1 },
    ]);
    const onPhone = (page.viewportSize()?.width ?? 0) < 1024;
    // On phones without scripts, the page with all chats serves as the menu.
    if (onPhone && !hydrated) await page.goto('/sessions');
    else {
      if (onPhone) await page.getByRole('button', { name: 'Open sidebar' }).click();
      await page.locator('summary').filter({ hasText: ', account menu', visible: true }).click();
    }
    await page.getByRole('link', { name: 'Jobs' }).filter({ visible: true }).click();
    await expect(page.getByText('1 failed')).toBeVisible();
    await expectAccessible();
    await expectNoSidewaysScroll(page);
  });
});

//! How often somebody may try. Counted in the database, so that all instances count together.

use super::ClientAddress;
use crate::{
    domain::{AppError, Email, Timestamp, UserId},
    server::{
        clock::Clock,
        fault::Fault,
        store::{Store, Tx},
    },
};

/// One kind of limit: so many tries in so many seconds.
struct Limit {
    tries: i64,
    seconds: i64,
}

/// Wrong passwords from one address.
const SIGN_IN_ADDRESS: Limit = Limit { tries: 10, seconds: 180 };
/// Wrong passwords for one account. High, because nobody shall be able to lock somebody else out.
const SIGN_IN_ACCOUNT: Limit = Limit { tries: 100, seconds: 3_600 };
/// Wrong second factors from one address.
const CODE_ADDRESS: Limit = Limit { tries: 10, seconds: 180 };
/// Wrong second factors for one account. Low, because whoever gets there has the password.
const CODE_ACCOUNT: Limit = Limit { tries: 10, seconds: 900 };
/// Ceremonies that strangers begin from one address.
const CEREMONY_ADDRESS: Limit = Limit { tries: 60, seconds: 180 };
/// New accounts from one address.
const SIGN_UP_ADDRESS: Limit = Limit { tries: 60, seconds: 3_600 };
/// Mails of one kind that are asked for to one address, or for one account.
const MAIL_ACCOUNT: Limit = Limit { tries: 3, seconds: 3_600 };
/// Mails that are asked for from one machine. Higher, because many people may share its address.
const MAIL_ADDRESS: Limit = Limit { tries: 30, seconds: 3_600 };
/// One-time links that one address follows. Nobody guesses a token; this spares the database.
const LINK_ADDRESS: Limit = Limit { tries: 100, seconds: 900 };
/// Ways to an identity provider that one address begins.
const FLOW_ADDRESS: Limit = Limit { tries: 60, seconds: 600 };
/// Downloads of their data that one person asks for.
const EXPORT_ACCOUNT: Limit = Limit { tries: 3, seconds: 86_400 };

fn refuse_over(limit: &Limit, (tries, ends_at): (i64, Timestamp), now: Timestamp) -> Result<(), AppError> {
    if tries <= limit.tries {
        return Ok(());
    }
    let seconds = (ends_at.micros() - now.micros()).div_euclid(1_000_000).max(1);
    Err(AppError::RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) })
}

fn address_key(address: ClientAddress) -> String {
    format!("sign-in address {}", address.throttle_key())
}

fn account_key(email: &Email) -> String {
    format!("sign-in account {}", email.key())
}

/// Counts a try to sign in before the password is looked at.
pub(super) async fn count_sign_in(
    store: &Store,
    clock: &Clock,
    address: ClientAddress,
    email: &Email,
) -> Result<(), Fault> {
    let now = clock.now();
    let mut tx = store.write().await?;
    let by_address = tx.count_try(&address_key(address), now, SIGN_IN_ADDRESS.seconds).await?;
    let over = refuse_over(&SIGN_IN_ADDRESS, by_address, now);
    // Tries that the address has no right to do not count against the account.
    let over = match over {
        Ok(()) => {
            refuse_over(&SIGN_IN_ACCOUNT, tx.count_try(&account_key(email), now, SIGN_IN_ACCOUNT.seconds).await?, now)
        }
        Err(error) => Err(error),
    };
    tx.commit().await?;
    Ok(over?)
}

/// The password was right: the account starts anew, and the address gets this one try back.
pub(super) async fn forgive_sign_in(store: &Store, address: ClientAddress, email: &Email) -> Result<(), Fault> {
    let mut tx = store.write().await?;
    tx.return_try(&address_key(address)).await?;
    tx.delete_tries(&account_key(email)).await?;
    tx.commit().await?;
    Ok(())
}

fn code_address_key(address: ClientAddress) -> String {
    format!("code address {}", address.throttle_key())
}

fn code_account_key(user: UserId) -> String {
    format!("code account {user}")
}

/// Counts a try of a second factor against the address, before anything is looked at.
pub(super) async fn count_code(store: &Store, clock: &Clock, address: ClientAddress) -> Result<(), Fault> {
    count(store, clock, &code_address_key(address), &CODE_ADDRESS).await
}

/// Counts a try of a second factor against the account, before it is looked at.
pub(super) async fn count_code_of(store: &Store, clock: &Clock, user: UserId) -> Result<(), Fault> {
    count(store, clock, &code_account_key(user), &CODE_ACCOUNT).await
}

/// The second factor was right: the account starts anew, and the address gets this one try back.
pub(super) async fn forgive_code(store: &Store, address: ClientAddress, user: UserId) -> Result<(), Fault> {
    let mut tx = store.write().await?;
    tx.return_try(&code_address_key(address)).await?;
    tx.delete_tries(&code_account_key(user)).await?;
    tx.commit().await?;
    Ok(())
}

/// The second factor of somebody who is signed in was right: the account starts anew.
pub(super) async fn forgive_code_of(store: &Store, user: UserId) -> Result<(), Fault> {
    let mut tx = store.write().await?;
    tx.delete_tries(&code_account_key(user)).await?;
    tx.commit().await?;
    Ok(())
}

/// Counts a ceremony that a stranger begins.
pub(super) async fn count_ceremony(store: &Store, clock: &Clock, address: ClientAddress) -> Result<(), Fault> {
    count(store, clock, &format!("ceremony address {}", address.throttle_key()), &CEREMONY_ADDRESS).await
}

async fn count(store: &Store, clock: &Clock, key: &str, limit: &Limit) -> Result<(), Fault> {
    let now = clock.now();
    let mut tx = store.write().await?;
    let count = tx.count_try(key, now, limit.seconds).await?;
    tx.commit().await?;
    Ok(refuse_over(limit, count, now)?)
}

/// Counts a try to sign up.
pub(super) async fn count_sign_up(store: &Store, clock: &Clock, address: ClientAddress) -> Result<(), Fault> {
    count(store, clock, &format!("sign-up address {}", address.throttle_key()), &SIGN_UP_ADDRESS).await
}

/// Counts that a mail of this kind was asked for, whether or not anybody has the address.
pub(super) async fn count_mail(
    store: &Store,
    clock: &Clock,
    address: ClientAddress,
    kind: &str,
    email: &Email,
) -> Result<(), Fault> {
    let now = clock.now();
    let mut tx = store.write().await?;
    let by_address =
        tx.count_try(&format!("mail address {}", address.throttle_key()), now, MAIL_ADDRESS.seconds).await?;
    let over = match refuse_over(&MAIL_ADDRESS, by_address, now) {
        Ok(()) => {
            let key = format!("mail {kind} {}", email.key());
            refuse_over(&MAIL_ACCOUNT, tx.count_try(&key, now, MAIL_ACCOUNT.seconds).await?, now)
        }
        Err(error) => Err(error),
    };
    tx.commit().await?;
    Ok(over?)
}

/// Counts a way to an identity provider.
pub(super) async fn count_flow(store: &Store, clock: &Clock, address: ClientAddress) -> Result<(), Fault> {
    count(store, clock, &format!("provider address {}", address.throttle_key()), &FLOW_ADDRESS).await
}

/// Counts that a one-time link is followed, or an invitation shown, before it is looked at.
pub(super) async fn count_link(store: &Store, clock: &Clock, address: ClientAddress) -> Result<(), Fault> {
    count(store, clock, &format!("link address {}", address.throttle_key()), &LINK_ADDRESS).await
}

/// Counts a download of one's own data, in the transaction of the act.
pub(super) async fn count_export(tx: &mut Tx, now: Timestamp, user: UserId) -> Result<(), Fault> {
    let count = tx.count_try(&format!("export {user}"), now, EXPORT_ACCOUNT.seconds).await?;
    Ok(refuse_over(&EXPORT_ACCOUNT, count, now)?)
}

/// Counts a mail of this kind that somebody who may do so has sent to somebody else.
pub(super) async fn count_mail_to(store: &Store, clock: &Clock, kind: &str, email: &Email) -> Result<(), Fault> {
    count(store, clock, &format!("mail {kind} {}", email.key()), &MAIL_ACCOUNT).await
}

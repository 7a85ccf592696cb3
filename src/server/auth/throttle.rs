//! How often somebody may try. Counted in the database, so that all instances count together.

use super::ClientAddress;
use crate::{
    domain::{AppError, Email, Timestamp},
    server::{clock::Clock, fault::Fault, store::Store},
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
/// New accounts from one address.
const SIGN_UP_ADDRESS: Limit = Limit { tries: 60, seconds: 3_600 };

/// Ways to an identity provider that one address begins.
const FLOW_ADDRESS: Limit = Limit { tries: 60, seconds: 600 };

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

/// Counts a try to sign up.
pub(super) async fn count_sign_up(store: &Store, clock: &Clock, address: ClientAddress) -> Result<(), Fault> {
    let now = clock.now();
    let mut tx = store.write().await?;
    let count =
        tx.count_try(&format!("sign-up address {}", address.throttle_key()), now, SIGN_UP_ADDRESS.seconds).await?;
    tx.commit().await?;
    Ok(refuse_over(&SIGN_UP_ADDRESS, count, now)?)
}

/// Counts a way to an identity provider.
pub(super) async fn count_flow(store: &Store, clock: &Clock, address: ClientAddress) -> Result<(), Fault> {
    let now = clock.now();
    let mut tx = store.write().await?;
    let count =
        tx.count_try(&format!("provider address {}", address.throttle_key()), now, FLOW_ADDRESS.seconds).await?;
    tx.commit().await?;
    Ok(refuse_over(&FLOW_ADDRESS, count, now)?)
}

//! Configures the allocator of the C library to return memory to the system.

/// Blocks of at least this many bytes are mapped separately, so that they are returned to the system when freed.
const MMAP_THRESHOLD_BYTES: i32 = 1 << 20;

/// Fixes the mmap threshold. Call it once, before threads are started.
///
/// By default glibc raises the threshold to the largest block that was ever freed. After the first password hash (19
/// MiB), such blocks are allocated from the heap of every hashing thread and never returned: we measured 186 MB after a
/// few sign-ins instead of 30 MB.
pub fn configure() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[allow(unsafe_code, reason = "there is no safe wrapper for `mallopt`")]
        // SAFETY: `mallopt` takes two numbers and is called before any other thread exists.
        let set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES) };
        if set == 0 {
            tracing::warn!("cannot set the mmap threshold; the server may use more memory than it needs");
        }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = MMAP_THRESHOLD_BYTES;
}

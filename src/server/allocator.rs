//! The C library's allocator, told to give memory back.

/// Blocks of at least this many bytes are mappings of their own, which go back to the system when they are freed.
const MAPPED: i32 = 1 << 20;

/// Fixes the size from which blocks are mapped. Call it once, before threads are started.
///
/// By itself glibc raises that size to the largest block that was ever freed. After the first password, whose hash
/// takes 19 MiB, such blocks would come from the heap of every thread that hashes, and stay there for ever: measured,
/// 186 MB after a few sign-ins in place of 30.
pub fn settle() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[allow(unsafe_code, reason = "there is no safe way to tell the allocator")]
        // SAFETY: `mallopt` takes two numbers and is called before any other thread exists.
        let set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED) };
        if set == 0 {
            tracing::warn!("the allocator keeps its own threshold; the server may hold more memory than it needs");
        }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = MAPPED;
}

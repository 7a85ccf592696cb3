//! Profile pictures. An upload is decoded within limits and encoded again: small, square and without metadata (EXIF).

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgba, RgbaImage,
    codecs::jpeg::JpegEncoder,
    imageops::{FilterType, overlay},
};

use tokio::sync::Semaphore;

use super::Profiles;
use crate::{
    domain::{AppError, AuditAction, UserId},
    server::{audit::RequestMeta, auth::Caller, fault::Fault},
};

/// Width and height of a stored picture, in pixels.
const SIDE_PIXELS: u32 = 256;
/// Maximum number of pixels to decode.
const MAX_PIXELS: u64 = 50_000_000;
/// Maximum memory for decoding, in bytes.
const MAX_DECODE_BYTES: u64 = 256 << 20;
/// Decodes one picture at a time: a large one takes a lot of memory.
static DECODE_PERMIT: Semaphore = Semaphore::const_new(1);
/// JPEG quality of a stored picture, up to 100.
const JPEG_QUALITY: u8 = 88;

impl Profiles {
    /// Changes the caller's picture.
    ///
    /// # Errors
    /// `Invalid` on `picture` if the file cannot be decoded.
    pub async fn change_picture(&self, caller: &Caller, file: Vec<u8>, meta: &RequestMeta) -> Result<(), Fault> {
        let permit = DECODE_PERMIT.acquire().await.map_err(Fault::internal)?;
        let encoded = tokio::task::spawn_blocking(move || encode(&file)).await??;
        drop(permit);
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        tx.owned_by(user).replace_picture(self.clock.now().micros(), &encoded).await?;
        meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::ChangePicture, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes the caller's picture.
    pub async fn remove_picture(&self, caller: &Caller, meta: &RequestMeta) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        if tx.owned_by(user).delete_picture().await? {
            meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::ChangePicture, "removed").await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The version and the JPEG data of a user's picture.
    pub async fn find_picture(&self, user: UserId) -> Result<Option<(i64, Vec<u8>)>, Fault> {
        Ok(self.store.read().await?.owned_by(user).find_picture().await?)
    }
}

fn unreadable() -> AppError {
    AppError::invalid("picture", reason!("picture_unreadable"))
}

/// Decodes a picture and encodes it again.
fn encode(file: &[u8]) -> Result<Vec<u8>, AppError> {
    let format = image::guess_format(file).map_err(|_| unreadable())?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif) {
        return Err(unreadable());
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| unreadable())?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(AppError::invalid("picture", reason!("picture_too_large")));
    }
    let orientation = decoder.orientation().map_err(|_| unreadable())?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| unreadable())?;
    picture.apply_orientation(orientation);
    let square = picture.resize_to_fill(SIDE_PIXELS, SIDE_PIXELS, FilterType::CatmullRom).to_rgba8();
    // Transparent pixels become white.
    let mut flat = RgbaImage::from_pixel(SIDE_PIXELS, SIDE_PIXELS, Rgba([255; 4]));
    overlay(&mut flat, &square, 0, 0);
    let mut encoded = Vec::new();
    let rgb = DynamicImage::ImageRgba8(flat).to_rgb8();
    JpegEncoder::new_with_quality(&mut encoded, JPEG_QUALITY).encode_image(&rgb).map_err(|_| unreadable())?;
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbaImage::from_pixel(width, height, Rgba([10, 200, 30, 255])).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn f08_uploads_become_a_small_square_or_an_error() {
        for (width, height) in [(1, 1), (3_000, 20), (400, 900)] {
            let encoded = encode(&png(width, height)).expect("a picture");
            let read = image::load_from_memory_with_format(&encoded, ImageFormat::Jpeg).expect("a JPEG");
            assert_eq!((read.width(), read.height()), (SIDE_PIXELS, SIDE_PIXELS));
            let [red, green, ..] = read.to_rgba8().get_pixel(128, 128).0;
            assert!(red < 40 && green > 170, "{red} {green}");
        }
        let whole = png(40, 40);
        for bad in
            [&b""[..], b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", &whole[..60]]
        {
            assert_eq!(encode(bad).unwrap_err().field(), Some("picture"), "{bad:?}");
        }
    }

    #[test]
    fn f08_oversized_images_are_refused_before_decoding() {
        // A PNG of 60,000 by 60,000 pixels that ends after its header.
        let mut bomb = png(1, 1);
        bomb[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        // Not "unreadable", which decoding would have found.
        assert_eq!(encode(&bomb).unwrap_err(), AppError::invalid("picture", reason!("picture_too_large")));
    }

    /// The CRC of PNG (ISO 3309).
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
        })
    }
}

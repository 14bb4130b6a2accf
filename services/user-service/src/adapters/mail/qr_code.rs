//! A ticket's code as a picture that scanners read.

use karcis_kernel::TicketCode;
use qrcode::{Color, QrCode};

/// How many pixels a module of the QR code is wide.
const SCALE: usize = 8;
/// How many modules around it stay white, as its standard says.
const MARGIN: usize = 4;

/// The code as a PNG.
pub(super) fn png(code: &TicketCode) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let code = QrCode::new(code.to_string())?;
    let modules = code.width() + 2 * MARGIN;
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(MARGIN).filter(|at| *at < code.width());
        inside(x).zip(inside(y)).is_some_and(|at| code[at] == Color::Dark)
    };
    let mut rows = Vec::new();
    for y in 0..modules {
        let pixels = (0..modules * SCALE).map(|x| is_dark(x / SCALE, y));
        let row: Vec<bool> = pixels.collect();
        // A bit a pixel: 0 is black.
        let row: Vec<u8> = row
            .chunks(8)
            .map(|bits| {
                let byte = bits.iter().fold(0, |byte, is_dark| (byte << 1) | u8::from(!is_dark));
                byte << (8 - bits.len())
            })
            .collect();
        rows.extend(row.repeat(SCALE));
    }
    let side = u32::try_from(modules * SCALE)?;
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.write_header()?.write_image_data(&rows)?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_the_code_with_a_white_margin() {
        let ticket: TicketCode = "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("a code");
        let code = QrCode::new(ticket.to_string()).expect("it fits");
        let picture = png(&ticket).expect("a picture");
        let decoder = png::Decoder::new(std::io::Cursor::new(&picture));
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
        let info = reader.next_frame(&mut pixels).expect("a picture");
        let side = (code.width() + 2 * MARGIN) * SCALE;
        assert_eq!((info.width as usize, info.height as usize), (side, side));
        let is_dark =
            |x: usize, y: usize| pixels[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 0;
        for y in 0..side {
            for x in 0..side {
                let at =
                    |at: usize| (at / SCALE).checked_sub(MARGIN).filter(|at| *at < code.width());
                let expected = at(x).zip(at(y)).is_some_and(|at| code[at] == Color::Dark);
                assert_eq!(is_dark(x, y), expected, "{x}, {y}");
            }
        }
        assert!(picture.len() < 4_096, "{} bytes", picture.len());
    }
}

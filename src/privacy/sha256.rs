//! SHA-256 (FIPS 180-4), byte by byte: the usual crate has three times the code. Its constants are computed, as the standard defines them.

/// The first bits behind the point of the square (`degree` 2) or cube (3) root of a prime.
#[inline(never)]
fn root(prime: u32, degree: u32) -> u32 {
    let mut root = 2.0;
    for _ in 0..32 {
        let power = if degree == 2 { root } else { root * root };
        root -= (power * root - f64::from(prime)) / (f64::from(degree) * power);
    }
    (root.fract() * 4_294_967_296.0) as u32
}

/// A hash under construction.
pub struct Sha256 {
    constants: [u32; 64],
    state: [u32; 8],
    block: [u8; 64],
    /// How many bytes it took.
    pub length: u64,
}

impl Sha256 {
    /// The hash of nothing so far.
    pub fn new() -> Self {
        let mut new = Sha256 { constants: [0; 64], state: [0; 8], block: [0; 64], length: 0 };
        let mut prime = 2u32;
        for i in 0..64 {
            while (2..prime).any(|n| prime.is_multiple_of(n)) {
                prime += 1;
            }
            new.constants[i] = root(prime, 3);
            if let Some(state) = new.state.get_mut(i) {
                *state = root(prime, 2);
            }
            prime += 1;
        }
        new
    }

    /// Takes one more byte.
    pub fn push(&mut self, byte: u8) {
        let at = (self.length % 64) as usize;
        self.block[at] = byte;
        self.length += 1;
        if at == 63 {
            self.compress();
        }
    }

    fn compress(&mut self) {
        let mut w = [0u32; 64];
        let (words, _) = self.block.as_chunks();
        for (word, bytes) in w.iter_mut().zip(words) {
            *word = u32::from_be_bytes(*bytes);
        }
        for i in 16..64 {
            let (x, y) = (w[i - 15], w[i - 2]);
            let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3;
            let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ y >> 10;
            w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.state;
        for (word, constant) in w.into_iter().zip(self.constants) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = h.wrapping_add(s1).wrapping_add(e & f ^ !e & g).wrapping_add(constant).wrapping_add(word);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = s0.wrapping_add(a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second));
        }
        for (state, word) in self.state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *state = state.wrapping_add(word);
        }
    }

    /// The first eight bytes of the hash of all that was taken.
    pub fn finish(mut self) -> [u8; 8] {
        let bits = self.length * 8;
        self.push(0x80);
        while self.length % 64 != 56 {
            self.push(0);
        }
        bits.to_be_bytes().into_iter().for_each(|byte| self.push(byte));
        (u64::from(self.state[0]) << 32 | u64::from(self.state[1])).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_hashes_are_those_of_the_standard() {
        let constants = Sha256::new().constants;
        assert_eq!((constants[0], constants[10], constants[63]), (0x428a_2f98, 0x2431_85be, 0xc671_78f2));
        assert_eq!(constants.iter().fold(0u32, |sum, c| sum.wrapping_mul(31).wrapping_add(*c)), 0xea27_91f5, "from exact integer roots");
        // printf %55s | tr ' ' a | sha256sum
        for (length, first) in [
            (0, 0xe3b0_c442_98fc_1c14_u64),
            (1, 0xca97_8112_ca1b_bdca_u64),
            (55, 0x9f43_90f8_d30c_2dd9_u64),
            (56, 0xb354_39a4_ac6f_0948_u64),
            (63, 0x7d3e_74a0_5d7d_b15b_u64),
            (64, 0xffe0_54fe_7ae0_cb6d_u64),
            (1000, 0x41ed_ece4_2d63_e8d9_u64),
        ] {
            let mut hash = Sha256::new();
            (0..length).for_each(|_| hash.push(b'a'));
            assert_eq!(u64::from_be_bytes(hash.finish()), first, "{length}");
        }
    }
}

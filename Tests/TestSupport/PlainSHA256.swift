/// SHA-256 as FIPS 180-4 writes it down, for comparison; slow.
public func plainSHA256(_ message: [UInt8]) -> String {
  let primes = (2...311).filter { number in !(2..<number).contains { number % $0 == 0 } }
  // The first 32 bits of the fractional parts of roots of the first primes.
  func bits(_ root: Double) -> UInt32 { UInt32((root - root.rounded(.down)) * 4_294_967_296) }
  var state = primes.prefix(8).map { bits(Double($0).squareRoot()) }
  let constants = primes.prefix(64).map { bits(cubeRoot(Double($0))) }
  var padded = message + [0x80]
  padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
  for shift in stride(from: 56, through: 0, by: -8) {
    padded.append(UInt8(truncatingIfNeeded: UInt64(8 * message.count) >> UInt64(shift)))
  }
  func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
  for block in stride(from: 0, to: padded.count, by: 64) {
    var words = (0..<16).map { index in
      padded[(block + 4 * index)..<(block + 4 * index + 4)].reduce(UInt32(0)) {
        $0 << 8 | UInt32($1)
      }
    }
    for index in 16..<64 {
      let early = words[index - 15]
      let late = words[index - 2]
      words.append(
        (rotated(late, 17) ^ rotated(late, 19) ^ late >> 10) &+ words[index - 7]
          &+ (rotated(early, 7) ^ rotated(early, 18) ^ early >> 3) &+ words[index - 16])
    }
    var now = state
    for index in 0..<64 {
      let choice = (now[4] & now[5]) ^ (~now[4] & now[6])
      let majority = (now[0] & now[1]) ^ (now[0] & now[2]) ^ (now[1] & now[2])
      let first =
        now[7] &+ (rotated(now[4], 6) ^ rotated(now[4], 11) ^ rotated(now[4], 25)) &+ choice
        &+ constants[index] &+ words[index]
      let second = (rotated(now[0], 2) ^ rotated(now[0], 13) ^ rotated(now[0], 22)) &+ majority
      now = [first &+ second] + now.prefix(7)
      now[4] &+= first
    }
    state = zip(state, now).map { $0 &+ $1 }
  }
  return state.map { word in
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }.joined()
}

/// Newton's iteration, so that no mathematical library is needed.
private func cubeRoot(_ number: Double) -> Double {
  var root = number
  for _ in 0..<100 { root -= (root * root * root - number) / (3 * root * root) }
  return root
}

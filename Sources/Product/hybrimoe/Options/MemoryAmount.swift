import ArgumentParser

/// An amount of memory as a user writes it.
enum MemoryAmount: Equatable, ExpressibleByArgument {
  case bytes(Int)
  /// Of all the memory, 0 to 1.
  case share(Double)

  /// `8G` and `8GiB` are 8 × 2³⁰ bytes, as memory is sold; `8GB` are 8 × 10⁹. Nothing at all and parts of
  /// a byte are no amounts.
  init?(argument: String) {
    guard let match = argument.wholeMatch(of: /(\d{1,18}(?:\.\d{1,18})?)\s*([kKMGT]i?B?|B|%)?/),
      let number = Double(match.1)
    else { return nil }
    let unit = match.2.map(String.init) ?? "B"
    guard number > 0 else { return nil }
    if unit == "%" {
      guard number <= 100 else { return nil }
      self = .share(number / 100)
      return
    }
    let exponent = ["K": 1, "M": 2, "G": 3, "T": 4][unit.prefix(1).uppercased()] ?? 0
    let isDecimal = unit.count == 2 && unit.hasSuffix("B")
    let factor = (0..<exponent).reduce(1.0) { product, _ in product * (isDecimal ? 1000 : 1024) }
    // A fraction without a unit is a share or an amount whose rest was forgotten.
    guard number * factor >= 1, number * factor < 1e18, unit != "B" || !match.1.contains(".") else {
      return nil
    }
    self = .bytes(Int(number * factor))
  }

  func bytes(of whole: Int) -> Int {
    switch self {
    case .bytes(let bytes): bytes
    case .share(let share): Int(Double(whole) * share)
    }
  }
}

extension NameSpecification {
  /// The published system calls the file a rule in one program and a configuration in another.
  static let rules: NameSpecification = [
    .customLong("optimize-rule-path"), .customLong("optimize_rule_path"),
    .customLong("optimize-config-path"), .customLong("optimize_config_path"),
  ]
}

/// Text as it may stand in XML, between tags and in attributes.
///
/// Characters that XML 1.0 does not allow at all (control characters) become U+FFFD.
func escaped(_ text: some StringProtocol) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n", "\r": result += " "
    case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// A number with at most `digits` decimals, without trailing zeros; 0 where it is not finite.
func decimal(_ value: Double, _ digits: Int = 2) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = (value * scale).rounded()
  guard scaled.isFinite, scaled.magnitude < 9e15 else { return value.isFinite ? "\(value)" : "0" }
  let whole = Int(scaled.magnitude)
  let unit = Int(scale)
  var text = "\(whole / unit)"
  var rest = whole % unit
  if rest > 0 {
    var decimals = ""
    for _ in 0..<digits {
      decimals = "\(rest % 10)" + decimals
      rest /= 10
    }
    while decimals.hasSuffix("0") { decimals.removeLast() }
    text += "." + decimals
  }
  return scaled < 0 ? "-" + text : text
}

/// A number with exactly one decimal.
func fixed(_ value: Double) -> String {
  let text = decimal(value, 1)
  return text.contains(".") ? text : text + ".0"
}

/// Microseconds in a unit that fits: `950 µs`, `12.3 ms`, `4.5 s`.
func duration(_ microseconds: Double) -> String {
  switch microseconds.magnitude {
  case ..<100: decimal(microseconds, 1) + " µs"
  case ..<1000: decimal(microseconds, 0) + " µs"
  case ..<1e6: decimal(microseconds / 1e3, microseconds.magnitude < 1e5 ? 2 : 1) + " ms"
  default: decimal(microseconds / 1e6, 2) + " s"
  }
}

/// A width that text of this size does not exceed in the usual sans-serif fonts, of which DejaVu is
/// the widest; in its bold face a tenth more.
func textWidth(_ text: String, size: Double) -> Double {
  var width = 0.0
  for character in text {
    switch character {
    case "i", "l", "j", "I", ".", ",", ":", ";", "'", "|", " ", "(", ")": width += 0.36
    case "t", "f", "r", "-": width += 0.44
    case "m", "w", "M", "W", "%", "…", "@": width += 0.99
    case "a"..."z", "0"..."9": width += 0.635
    default: width += 0.77
    }
  }
  return width * size
}

/// Text cut to a width, with an ellipsis.
func cut(_ text: String, to width: Double, size: Double) -> String {
  guard textWidth(text, size: size) > width else { return text }
  var result = text
  while !result.isEmpty, textWidth(result, size: size) + size > width { result.removeLast() }
  return result + "…"
}

/// The round step (1, 2 or 5 times a power of ten) that divides a range into at most `count` parts.
func roundStep(_ range: Double, count: Double) -> Double {
  guard range > 0, range.isFinite, count >= 1 else { return 1 }
  var step = 1.0
  while step * count < range { step *= 10 }
  while step * count >= range * 10 { step /= 10 }
  for part in [0.1, 0.2, 0.5] where step * part * count >= range { return step * part }
  return step
}

import OrderedJSON
import TestSupport
import Testing

@Suite struct `A JSON document` {
  /// Documents and how the writer repeats them.
  static let valid: [(String, String)] = [
    ("null", "null"), (" true\n", "true"), ("\t[ ]\r\n", "[]"), ("{ }", "{}"),
    (#"{"b":1,"a":[2,{"c":null}]}"#, #"{"b":1,"a":[2,{"c":null}]}"#),
    ("0", "0"), ("-1", "-1"), ("-0", "-0.0"), ("0.5", "0.5"), ("1e2", "100.0"), ("1E+2", "100.0"),
    ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"),
    ("18446744073709551615", "18446744073709551615"),
    ("18446744073709551616", "1.8446744073709552e+19"),
    ("-9223372036854775809", "-9.223372036854776e+18"),
    (#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, #""\"\\/\u0008\u000c\n\r\té😀""#),
    (#""é😀""#, #""é😀""#), (#""""#, #""""#), (#"{"":0}"#, #"{"":0}"#), ("1e-400", "0.0"),
  ]

  @Test(arguments: valid) func `is read whole`(text: String, written: String) throws {

    #expect(try JSONValue(parsing: text).text == written)
  }
}

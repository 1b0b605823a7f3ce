import Testing

@testable import Downloads

@Suite struct ModelSelectionTests {
  private func models(_ names: [String]) -> [ListedModel] {
    ModelSelection.models(names.map { ($0, 100) })
  }

  private func choice(_ selector: String?, _ names: [String]) throws -> String {
    try ModelSelection.choose(selector, from: models(names)).path
  }

  static let words: [(String, String, Bool)] = [
    ("Q4_K_M", "m.Q4_K_M.gguf", true), ("q4_k_m", "m-Q4_K_M.gguf", true),
    ("Q4_K_M", "m-q4_k_m.gguf", true), ("Q8_0", "model_q8_0.gguf", true),
    ("Q4_K", "m-Q4_K_M.gguf", false), ("Q4_NL", "m-IQ4_NL.gguf", false),
    ("IQ4_NL", "m-IQ4_NL.gguf", true), ("4_K_M", "m-Q4_K_M.gguf", false),
    ("UD-Q4_K_XL", "m-UD-Q4_K_XL.gguf", true), ("Q4_K_XL", "m-UD-Q4_K_XL.gguf", true),
    ("Q4_K_M", "Q4_K_M/m-00001-of-00002.gguf", true), ("gguf", "m.gguf", false),
    ("mxfp4", "gpt-oss-20b-mxfp4.gguf", true), ("", "m.gguf", false), ("m.gguf", "m", false),
  ]

  @Test(arguments: words)
  func `a quantisation is a word of its own in a name`(word: String, path: String, isIn: Bool) {
    #expect(ModelSelection.matches(path, quantisation: word) == isIn)
  }

  @Test func `parts of a split model are one model, projectors are none`() throws {
    let names = [
      "Q8_0/m-Q8_0-00002-of-00002.gguf", "Q8_0/m-Q8_0-00001-of-00002.gguf", "mmproj-F16.gguf",
      "m-Q4_K_M.gguf", "imatrix.gguf", "README.md", "sub/mmproj.gguf",
    ]
    let found = models(names)
    #expect(found.map(\.path) == ["Q8_0/m-Q8_0-00001-of-00002.gguf", "m-Q4_K_M.gguf"])
    #expect(found[0].paths.count == 2 && found[0].byteCount == 200)
    #expect(found.allSatisfy { $0.missingParts.isEmpty })
    #expect(try choice("q8_0", names) == "Q8_0/m-Q8_0-00001-of-00002.gguf")
    #expect(try choice("Q8_0/m-Q8_0-00002-of-00002.gguf", names).hasPrefix("Q8_0"))
  }

  @Test func `missing parts are known`() {
    let found = models(["m-00002-of-00004.gguf", "m-00004-of-00004.gguf"])
    #expect(found.map(\.missingParts) == [[1, 3]])
  }

  @Test func `numbers that make no sense are names like others`() {
    let names = [
      "m-00000-of-00000.gguf", "m-00003-of-00002.gguf", "m-1-of-2.gguf", "m-00001-of-99999.gguf",
    ]
    #expect(models(names).count == 4)
    #expect(models(names).first { !$0.missingParts.isEmpty }?.missingParts.count == 99_998)
  }

  @Test func `without a quantisation it is the usual one, or the only model`() throws {
    #expect(try choice(nil, ["a-Q2_K.gguf", "a-Q4_K_M.gguf"]) == "a-Q4_K_M.gguf")
    #expect(try choice(nil, ["a-mxfp4.gguf"]) == "a-mxfp4.gguf")
    #expect(throws: ModelSelectionError.undecided(models(["a-Q2_K.gguf", "a-Q8_0.gguf"]))) {
      try choice(nil, ["a-Q2_K.gguf", "a-Q8_0.gguf"])
    }
    #expect(throws: ModelSelectionError.self) { try choice(nil, []) }
    #expect(throws: ModelSelectionError.self) {
      try choice(nil, ["a-Q4_K_M.gguf", "b-Q4_K_M.gguf"])
    }
  }

  @Test func `what is not there or not alone is refused with a list`() throws {
    let names = ["a-Q2_K.gguf", "b-Q2_K.gguf", "c-Q8_0.gguf"]
    #expect(throws: ModelSelectionError.none("Q5_K_M", models(names))) {
      try choice("Q5_K_M", names)
    }
    #expect(throws: ModelSelectionError.several("Q2_K", models(Array(names[..<2])))) {
      try choice("Q2_K", names)
    }
    #expect(try choice("b-Q2_K.gguf", names) == "b-Q2_K.gguf")
  }

  @Test func `a repository has an owner and a name that are safe as folders`() throws {
    let name = try #require(RepositoryName("mzwing/DeepSeek-V2-Lite-Chat-GGUF"))
    #expect(name.modelName == "deepseek-v2-lite-chat" && name.name.hasSuffix("GGUF"))
    #expect(RepositoryName("a/B.c_d-1")?.description == "a/B.c_d-1")
    let wrong = [
      "", "a", "a/", "/a", "a/b/c", "../b", "a/..", "a/.b", "a/-b", "a b/c", "a/b\n", "ä/b",
      "a/b:c",
      "a/b%2F", String(repeating: "a", count: 97) + "/b",
    ]
    for text in wrong { #expect(RepositoryName(text) == nil, "\(text)") }
  }

  @Test func `a reference may name a quantisation or a file`() throws {
    #expect(ModelReference("a/b")?.selector == nil)
    #expect(ModelReference("a/b:Q4_K_M")?.selector == "Q4_K_M")
    #expect(ModelReference("a/b:c/d:e.gguf")?.selector == "c/d:e.gguf")
    #expect(ModelReference("a/b:c")?.description == "a/b:c")
    for text in ["a/b:", ":x", "a:b", "./a/b:c"] { #expect(ModelReference(text) == nil, "\(text)") }
  }

  @Test func `the same model of other owners has the same name`() {
    let names = ["x/Qwen3-30B-A3B", "y/Qwen3-30B-A3B-GGUF", "z/qwen3-30b-a3b-i1-GGUF"]
    #expect(Set(names.compactMap { RepositoryName($0)?.modelName }).count == 1)
  }
}

import Foundation
import Testing

@Suite struct `The program` {
  @Test func `answers scripted questions on standard output, one line of text or more each`() throws
  {
    let outcome = try Program.run(
      "chat", "--seed", "1", "-n", "8", "--stats", input: "Who are you?\n\n/stats\nAnd I?\n")
    #expect(outcome.code == 0)
    #expect(outcome.output.split(separator: "\n").count >= 2)
    #expect(outcome.output.contains(/[A-Za-z]{2,}/))
    #expect(outcome.error.contains("seed 1") && outcome.error.contains("seed 2"))
    #expect(
      outcome.error.contains("of them kept"), "the second prompt reuses the first: \(outcome)")
  }

  @Test func `without a command it chats, and a seed gives the same text`() throws {
    let first = try Program.run("--seed", "7", "-n", "12", input: "Tell me a story.\n")
    let second = try Program.run(
      "chat", "--seed", "7", "-n", "12", "-t1", input: "Tell me a story.\n")
    #expect(first.code == 0 && !first.output.isEmpty)
    #expect(first.output == second.output)
  }

  @Test func `the answer as JSON is one object, and nothing else is on standard output`() throws {
    let outcome = try Program.run(
      "run", "-m", Program.endlessModel, "-p", "hello", "--temperature", "0", "--max_new_tokens",
      "5", "--json")
    #expect(outcome.code == 0)
    #expect(outcome.json["stopReason"] as? String == "maximumTokens")
    #expect((outcome.json["tokens"] as? [Int])?.count == 5)
    #expect(outcome.json["seed"] is NSNull, "greedy draws nothing")
    let plain = try Program.run(
      "run", "-m", Program.endlessModel, "-p", "hello", "--temperature", "0", "-n5")
    #expect(plain.output == outcome.json["text"] as? String)
    #expect(plain.error == "")
  }

  @Test func `a stop string ends the answer and is not shown`() throws {
    let arguments = ["run", "-m", Program.endlessModel, "-p", "hi", "--temperature", "0", "-n24"]
    let whole = try Program.run(arguments).output
    let start = try #require(whole.indices.dropFirst(4).first { whole[$0].isASCII })
    let stop = String(whole[start...].prefix(3))
    let outcome = try Program.run(arguments + ["--stop", stop, "--json"])
    #expect(outcome.json["stopString"] as? String == stop)
    #expect(outcome.json["text"] as? String == whole.components(separatedBy: stop)[0])
  }

  @Test func `tokens and text turn into each other`() throws {
    let text = "Hello, wörld! 日本 😀\n\ttab <|im_end|>"
    let tokens = try Program.run("tokenize", "-p", text, "--json")
    let back = try Program.run("detokenize", "-f", "-", input: tokens.output)
    #expect(back.code == 0)
    #expect(back.output == text)
  }

  @Test func `scores are shown for given tokens, with greedy continuation and experts`() throws {
    let outcome = try Program.run("logits", "--tokens", "8,56,166", "--greedy", "2", "--json")
    #expect(outcome.code == 0)
    #expect((outcome.json["greedy"] as? [Int])?.count == 2)
    let experts = try #require(outcome.json["experts"] as? [String: [[Int]]])
    #expect(experts.values.allSatisfy { $0.count == 3 && $0.allSatisfy { Set($0).count == 4 } })
    let logits = try #require(outcome.json["logits"] as? [Double])
    #expect(
      (outcome.json["greedy"] as? [Int])?.first == logits.indices.max { logits[$0] < logits[$1] })
  }

  @Test func `perplexity and bench give figures`() throws {
    let text = String(repeating: "The cat sat on the mat. ", count: 20)
    let perplexity = try Program.run("perplexity", "-p", text, "--context", "64", "--json")
    #expect((perplexity.json["perplexity"] as? Double ?? 0) > 1)
    let bench = try Program.run(
      "bench", "--prompt-tokens", "8,16", "--generate", "4", "--repetitions", "2", "--json")
    let tests = try #require(bench.json["tests"] as? [[String: Any]])
    #expect(tests.map { $0["test"] as? String } == ["pp8", "pp16", "tg4"])
    #expect(tests.allSatisfy { ($0["seconds"] as? [Double])?.count == 2 })
  }

  @Test(arguments: [
    ["frobnicate"], ["run"], ["run", "-p", "a", "-f", "b"], ["run", "-p", "a", "--top-p", "1.5"],
    ["run", "-p", "a", "--temperature", "-1"], ["run", "-p", "a", "-n", "0"],
    ["run", "-p", "a", "--stop", ""], ["bench", "--shape", "x", "--kernels"], ["serve"], ["logits"],
    ["chat", "--scheduler", "magic"], ["chat", "--device", "gpu"], ["chat", "--nope"],
    ["inspect", "a.gguf", "-m", "b.gguf"], ["tokenize", "--model"],
    ["run", "-p", "a", "--repeat-penalty", "0"], ["chat", "--logit-bias", "1:2"],
    ["tokenize", "-p", "a", "--pre-tokenizer", "none"], ["inspect", "--pre-tokenizer", "none"],
    ["perplexity", "-p", "a", "--context", "3"], ["bench", "--generate", "-1"],
    ["bench", "--prompt-tokens", "8,0"], ["logits", "--tokens", "1,,2"], ["detokenize"],
    ["chat", "--dry-multiplier", "nan"], ["chat", "--typical-p", "0"],
    ["chat", "--samplers", "top-k;top-k"], ["run", "-p", "a", "--logprobs", "3"],
  ])
  func `wrong usage ends with 64 and a message`(arguments: [String]) throws {
    let process = Program.process(arguments)
    let error = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error
    try process.run()
    let message = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 64)
    #expect(message.hasPrefix("Error: "), "\(message)")
  }

  @Test(arguments: [
    ["chat", "-m", "/nonexistent/model.gguf"], ["inspect", "/dev/null"], ["inspect", "/proc/self"],
    ["run", "-f", "/nonexistent/text"], ["run", "-p", ""], ["run", "-f", "/dev/null"],
    ["tokenize", "-f", "/proc/self/exe"], ["detokenize", "--tokens", "-1"],
    ["detokenize", "-p", "one"], ["logits", "--tokens", "99999999"],
    ["chat", "--context", "99999999"],
    ["chat", "-f", "/nonexistent"],
    ["chat", "--resume"], ["chat", "--resume", "/dev/null"], ["chat", "--resume", "nothing"],
    ["chat", "--chat-template-file", "/dev/null"], ["bench", "--prompt-tokens", "100000000"],
  ])
  func `what cannot be done ends with 1 and a message`(arguments: [String]) throws {
    let process = Program.process(arguments)
    let error = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error
    try process.run()
    let message = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1, "\(message)")
    #expect(message.hasPrefix("Error: "), "\(message)")
  }

  @Test func `a full conversation says so, and the answers before it are kept`() throws {
    let question = "Tell me about the moon, please, and then about the sun."
    let outcome = try Program.run(
      "chat", "--json", "--context", "96", "-n", "12", "--seed", "1",
      input: String(repeating: question + "\n", count: 12))
    #expect(outcome.code == 1)
    #expect(outcome.error.hasPrefix("Error: The conversation is full: "), "\(outcome.error)")
    #expect(outcome.error.contains("/reset"))
    let turns = try #require(outcome.json["turns"] as? [[String: Any]])
    #expect(!turns.isEmpty && turns.allSatisfy { $0["question"] as? String == question })
    let tooLong = try Program.run(
      "chat", "--context", "16", input: String(repeating: question, count: 5))
    #expect(tooLong.code == 1 && tooLong.error.contains("the prompt has"))
  }

  @Test func `a byte order mark before the first question is no part of it`() throws {
    let outcome = try Program.run("chat", "--json", "-n", "1", input: "\u{FEFF}Hi\n\u{FEFF}Hi\n")
    #expect(outcome.output.hasPrefix("{\"turns\":[{\"question\":\"Hi\""), "\(outcome.output)")
    #expect(outcome.output.contains("{\"question\":\"\u{FEFF}Hi\""), "\(outcome.output)")
  }

  @Test func `a line that the terminal has cut is refused and the talk goes on`() throws {
    var (terminal, side): (Int32, Int32) = (-1, -1)
    try #require(openpty(&terminal, &side, nil, nil, nil) == 0)
    let keyboard = FileHandle(fileDescriptor: terminal, closeOnDealloc: true)
    let process = Program.process(["chat", "-n", "2", "--no-save"])
    let (output, error) = (Pipe(), Pipe())
    process.standardInput = FileHandle(fileDescriptor: side, closeOnDealloc: true)
    process.standardOutput = output
    process.standardError = error
    try process.run()
    func waitFor(_ text: String) {
      var seen = ""
      while !seen.contains(text) {
        let data = error.fileHandleForReading.availableData
        guard !data.isEmpty else { break }
        seen += String(decoding: data, as: UTF8.self)
      }
      #expect(seen.contains(text))
    }
    waitFor("> ")
    keyboard.write(Data((String(repeating: "a", count: 5000) + "\n").utf8))
    waitFor("The terminal cuts lines at 4095 bytes")
    keyboard.write(Data("Hi\u{1B}[A\n".utf8))
    #expect(!output.fileHandleForReading.availableData.isEmpty)
    keyboard.write(Data("/quit\n".utf8))
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func `an output that takes no more is an error`() throws {
    let process = Program.process(["inspect"])
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
  }

  @Test func `an interrupt ends a waiting chat with 130`() throws {
    let process = Program.process(["chat", "-n", "2"])
    let input = Pipe()
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data("Hello\n".utf8))
    // The answer has begun, so the program is past its start.
    #expect(!output.fileHandleForReading.availableData.isEmpty)
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
  }

  @Test func `messages about wrong numbers and missing input say what is allowed`() throws {
    func message(_ arguments: String...) throws -> String { try Program.run(arguments).error }
    #expect(try message("perplexity", "-p", "a", "--context", "1").contains("from 4 to "))
    #expect(try message("bench", "--generate", "-1").contains("--generate is -1, but must be 0"))
    for command in ["logits", "detokenize"] {
      let error = try message(command)
      #expect(error.contains("Usage: hybrimoe \(command) "), "\(error)")
      for option in ["--tokens", "--prompt", "--file"] { #expect(error.contains(option)) }
    }
    #expect(try message("run", "--promt", "x").contains("Unknown option '--promt'"))
  }

  @Test func `a pre-tokenizer has no effect on a SentencePiece vocabulary, which is said`() throws {
    let model = Program.endlessModel.replacing("qwen2moe", with: "mixtral")
    let outcome = try Program.run("tokenize", "-m", model, "-p", "a", "--pre-tokenizer", "llama3")
    #expect(outcome.code == 0)
    #expect(outcome.error.hasPrefix("Warning: --pre-tokenizer: no effect here, "))
    #expect(outcome.error.split(separator: "\n").count == 1)
  }

  static let failures: [([String], Int32)] = [
    (["run", "-m", "/nonexistent.gguf", "-p", "a"], 1), (["run", "-p", "a", "--nope"], 64),
    (["run", "frobnicate"], 64), (["frobnicate"], 64), (["run"], 64),
  ]

  @Test(arguments: failures)
  func `the last message is JSON too where that was asked for`(
    arguments: [String], code: Int32
  ) throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path("hybrimoe"), withIntermediateDirectories: true)
    try folder.write("hybrimoe/config", "log-json = true\n")
    for outcome in [
      try Program.run(arguments + ["--log-json"]),
      try Program.run(arguments, environment: ["HYBRIMOE_LOG_JSON": "true"]),
      try Program.run(arguments, environment: ["XDG_CONFIG_HOME": folder.path("")]),
    ] {
      #expect(outcome.code == code)
      let object = try JSONSerialization.jsonObject(with: Data(outcome.error.utf8))
      #expect((object as? [String: String])?["level"] == "error")
    }
  }

  @Test func `an interrupt keeps the turns before it`() throws {
    let process = Program.process(["chat", "-n", "2", "--json", "--stats"])
    let (input, output, error) = (Pipe(), Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = error
    try process.run()
    input.fileHandleForWriting.write(Data("Hello\n".utf8))
    // The figures of the first answer have come, so it is part of the conversation.
    #expect(!error.fileHandleForReading.availableData.isEmpty)
    kill(process.processIdentifier, SIGINT)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(text.hasPrefix("{\"turns\":[{\"question\":\"Hello\""), "\(text)")
  }

  @Test func `settings come from the environment and the file`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path("hybrimoe"), withIntermediateDirectories: true)
    try folder.write("hybrimoe/config", "max-tokens = 3\njson = true\ntemperature = 0\n")
    let home = ["XDG_CONFIG_HOME": folder.path("")]
    func count(_ outcome: Program.Outcome) -> Int? { (outcome.json["tokens"] as? [Int])?.count }
    #expect(
      count(try Program.run("run", "-m", Program.endlessModel, "-p", "a", environment: home)) == 3)
    let both = home.merging(["HYBRIMOE_MAX_TOKENS": "2"]) { $1 }
    #expect(
      count(try Program.run("run", "-m", Program.endlessModel, "-p", "a", environment: both)) == 2)
    #expect(
      count(
        try Program.run("run", "-m", Program.endlessModel, "-p", "a", "-n", "1", environment: both))
        == 1)
    try folder.write("hybrimoe/config", "\nmax-tokens = none\n")
    let wrong = try Program.run("run", "-m", Program.endlessModel, "-p", "a", environment: home)
    #expect(wrong.code == 64)
    #expect(wrong.error.contains("hybrimoe/config, line 2: The value 'none' is invalid"))
  }

  @Test func `help and version go to standard output`() throws {
    for arguments in ["--help", "--version"] {
      let outcome = try Program.run(arguments)
      #expect(outcome.code == 0 && outcome.error.isEmpty && outcome.output.contains("hybrimoe"))
      #expect(outcome.output.contains("(commit ") == (arguments == "--version"))
    }
  }
}

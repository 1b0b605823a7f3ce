import ExpertScheduling
import Experts
import OrderedJSON
import TestSupport
import Testing

@Suite struct ScheduleRequestTests {
  private static let figure5 = """
    {"loads":{"A":1,"B":1,"C":3,"D":4,"E":1},"resident":["D","E"],"scheduler":"hybrimoe",
     "costs":{"cpuFirst":0,"cpuPerToken":1,"gpuPerExpert":1,"gpuPerToken":0,"linkPerExpert":3,
     "sharedOnGPU":2,"handshake":0}}
    """

  @Test(arguments: ["hybrimoe", "hybrimoe-paper"])
  func `the paper's figure is answered as published`(name: String) throws {
    let text = Self.figure5.replacing("\"hybrimoe\"", with: "\"\(name)\"")
    let request = try ScheduleRequest(parsing: text)
    let plan = request.plan()
    #expect(plan.makespan == 4)
    #expect(plan.lowerBound == 4)
    let answer = try JSONNode(JSONValue(parsing: request.answer(plan).text))
    let operations = try answer["operations"].elements().map { operation in
      let (expert, lane) = (try operation["expert"].string(), try operation["lane"].string())
      return try "\(expert) \(lane) \(operation["start"].integer())-\(operation["end"].integer())"
    }
    #expect(
      operations == [
        "A cpu 0-1", "shared gpu 0-2", "C link 0-3", "B cpu 1-2", "E cpu 2-3", "D gpu 2-3",
        "C gpu 3-4",
      ])
  }

  @Test func `experts keep the order of the keys`() throws {
    let request = try ScheduleRequest(
      parsing: """
        {"loads":{"Z":1,"a":2,"M":3},"costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":1}}
        """)
    #expect(request.names == ["Z", "a", "M"])
    #expect(request.layerCase.experts.map(\.load) == [1, 2, 3])
    #expect(request.scheduler == .hybrimoe)
    #expect(request.layerCase.phase == .prefill)
  }

  @Test func `every field reaches the case`() throws {
    let request = try ScheduleRequest(
      parsing: """
        {"loads":{"A":1,"B":1,"C":1},"resident":["A"],"arriving":{"C":2.5},"cpuFree":1,"gpuFree":2,
         "linkFree":3,"phase":"prefill","scheduler":"all-cpu","costs":{"cpuFirst":1,"cpuPerExpert":2,
         "cpuPerToken":3,"gpuPerLaunch":4,"gpuPerExpert":5,"gpuPerToken":6,"gpuKnee":7,
         "linkPerExpert":9,"linkPerExpertAlone":8,"sharedOnGPU":10,"handshake":11}}
        """)
    var costs = LayerCosts(
      cpuPerToken: 3, gpuPerExpert: 5, linkPerExpert: 9, linkPerExpertAlone: 8)
    (costs.cpuFirst, costs.cpuPerExpert, costs.gpuPerLaunch, costs.gpuPerToken) = (1, 2, 4, 6)
    (costs.gpuKnee, costs.sharedOnGPU, costs.handshake) = (7, 10, 11)
    var expected = LayerCase(
      phase: .prefill,
      experts: [
        ActivatedExpert(index: 0, load: 1, residency: .resident),
        ActivatedExpert(index: 1, load: 1, residency: .missing),
        ActivatedExpert(index: 2, load: 1, residency: .arriving(at: 2.5)),
      ], costs: costs)
    (expected.cpuFree, expected.gpuFree, expected.linkFree) = (1, 2, 3)
    #expect(request.layerCase == expected)
    #expect(request.scheduler == .allCPU)
  }

  @Test func `one token for each expert means decode`() throws {
    let request = try ScheduleRequest(
      parsing: #"{"loads":{"A":1},"costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":1}}"#)
    #expect(request.layerCase.phase == .decode)
  }

  @Test func `wrong requests are told what is wrong and where`() {
    let costs = #""costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":3}"#
    let wrong: [(String, String)] = [
      ("", "line 1, column 1"),
      ("[]", "expected an object, found an array"),
      (#"{"loads":{}}"#, #"expected the key "costs""#),
      ("{\(costs)}", #"expected the key "loads""#),
      (#"{"loads":[1],\#(costs)}"#, "loads: expected an object"),
      (#"{"loads":{"A":0},\#(costs)}"#, "loads.A: expected a whole number from 1"),
      (#"{"loads":{"A":-1},\#(costs)}"#, "loads.A: expected a whole number from 1"),
      (#"{"loads":{"A":1.5},\#(costs)}"#, "loads.A: expected a whole number"),
      (#"{"loads":{"A":1e30},\#(costs)}"#, "loads.A: expected a whole number"),
      (#"{"loads":{"A":99999999999999999999},\#(costs)}"#, "loads.A: expected a whole number"),
      (#"{"loads":{"A":"1"},\#(costs)}"#, "loads.A: expected a whole number, found a string"),
      (#"{"loads":{"A":1,"A":2},\#(costs)}"#, #"the key "A" stands here twice"#),
      (#"{"loads":{"shared":1},\#(costs)}"#, "sharedOnGPU"),
      (#"{"loads":{"A":1},"resident":["B"],\#(costs)}"#, #"resident[0]: expected an expert"#),
      (#"{"loads":{"A":1},"resident":["A","A"],\#(costs)}"#, "resident[1]: expected each expert"),
      (#"{"loads":{"A":1},"resident":"A",\#(costs)}"#, "resident: expected an array"),
      (#"{"loads":{"A":1},"arriving":{"B":1},\#(costs)}"#, "arriving.B: expected an expert"),
      (#"{"loads":{"A":1},"arriving":{"A":-1},\#(costs)}"#, "arriving.A: expected a number from 0"),
      (
        #"{"loads":{"A":1},"resident":["A"],"arriving":{"A":1},\#(costs)}"#,
        "arriving.A: expected an expert that is not resident"
      ),
      (#"{"loads":{"A":1},"scheduler":"best",\#(costs)}"#, "scheduler: expected one of hybrimoe, "),
      (#"{"loads":{"A":1},"phase":"both",\#(costs)}"#, "phase: expected one of prefill, decode"),
      (#"{"loads":{"A":1},"cpuFree":-1,\#(costs)}"#, "cpuFree: expected a number from 0"),
      (#"{"loads":{"A":1},"gpuFree":1e300,\#(costs)}"#, "gpuFree: expected a number from 0"),
      (#"{"loads":{"A":1},"linkfree":1,\#(costs)}"#, "linkfree: expected one of the keys loads"),
      (#"{"loads":{"A":1},"costs":{"cpuPerToken":1}}"#, #"costs: expected the key "gpuPerExpert""#),
      (
        #"{"loads":{"A":1},"costs":{"cpuPerToken":"1","gpuPerExpert":1,"linkPerExpert":1}}"#,
        "costs.cpuPerToken: expected a number, found a string"
      ),
      (
        #"{"loads":{"A":1},"costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":1,"gpuFirst":1}}"#,
        "costs.gpuFirst: expected one of the keys cpuFirst"
      ),
      (
        #"{"loads":{"A":1},"costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":1,"linkPerExpertAlone":2}}"#,
        "costs.linkPerExpertAlone: expected a number from 0 to 1"
      ),
    ]
    for (text, words) in wrong {
      do {
        _ = try ScheduleRequest(parsing: text)
        Issue.record("accepted: \(text)")
      } catch {
        #expect("\(error)".contains(words), "\(text): \(error)")
      }
    }
  }

  @Test func `the largest accepted case gives finite times`() throws {
    let loads = (0..<1024).map { "\"e\($0)\":1000000000" }.joined(separator: ",")
    for name in SchedulerName.allCases {
      let request = try ScheduleRequest(
        parsing: """
          {"loads":{\(loads)},"scheduler":"\(name.rawValue)","costs":{"cpuPerToken":1e12,
           "gpuPerExpert":1e12,"gpuPerToken":1e12,"linkPerExpert":1e12}}
          """)
      let plan = request.plan()
      #expect(plan.makespan.isFinite && plan.lowerBound <= plan.makespan, "\(name.rawValue)")
    }
  }

  @Test func `a case without experts is answered`() throws {
    let request = try ScheduleRequest(
      parsing: #"{"loads":{},"costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":1}}"#)
    #expect(
      request.answer(request.plan()).text == #"{"operations":[],"makespan":0,"lowerBound":0}"#)
  }

  @Test func `a damaged request is refused or planned, but never more`() {
    var random = SeededGenerator(seed: 9)
    let sound = Array(Self.figure5.utf8)
    for seed in 0..<2000 {
      var bytes = sound
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch seed % 3 {
        case 0: bytes[place] = UInt8.random(in: 32...126, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8(ascii: "9"), at: place)
        }
      }
      guard let request = try? ScheduleRequest(parsing: String(decoding: bytes, as: UTF8.self))
      else { continue }
      let plan = request.plan()
      let violations = PlanValidator.violations(of: plan, in: request.layerCase)
      #expect(violations == [], "case \(seed)")
    }
  }
}

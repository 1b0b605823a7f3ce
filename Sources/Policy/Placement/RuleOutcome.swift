/// What a file of rules asks of a model: applied as kTransformers applies it, then read as placement.
///
/// The walk is the one of kTransformers' `gen_optimize_config` (`optimize.py`): modules from the
/// outside in, for each the first rule that matches in the file's order, and nothing inside a module
/// whose rule says `recursive: False`.
///
/// What devices mean here:
/// - `generate_device` of attention, routers, shared experts, dense networks and the output head
///   says where they are. A projection that no rule matches takes the device of the module that
///   holds it (kTransformers: the GPU), so that one rule for `self_attn` is enough. Weights of one
///   part that rules put on different sides stay on the GPU, and that is said.
/// - Routed experts: `generate_device: cuda` keeps all of a layer on the GPU. `generate_device: cpu`
///   with `prefill_device: cuda` is the hybrid case: in host memory, with slots. Both `cpu`: the CPU
///   computes them always. Layers that no rule names are cached.
/// - Other parts than experts have one place, so that their `prefill_device` has no meaning where it
///   differs.
public struct RuleOutcome: Equatable, Sendable {
  public var rules: [PlacementRule]
  /// How many modules each rule was the first to match.
  public var matchCounts: [Int]
  /// One for each layer of the model.
  public var wishes: [LayerWish]
  public var output = PlacementDevice.gpu
  /// A module of the model, and the rule that it got, by index.
  public struct Choice: Equatable, Sendable {
    public var module: String
    public var rule: Int?
  }

  /// All modules in the order in which they are visited.
  public var choices: [Choice]
  /// The rule that decided each layer's experts, by index; nil where none did.
  public var expertRules: [Int?]
  /// What could not be done as the file says it, with the line of the rule it is about.
  public var notes: [String] = []

  public init(_ rules: [PlacementRule], on shape: ModelShape) {
    self.rules = rules
    matchCounts = Array(repeating: 0, count: rules.count)
    wishes = Array(repeating: LayerWish(), count: shape.layers.count)
    expertRules = Array(repeating: nil, count: shape.layers.count)
    choices = []
    let tree = ModuleTree(shape)
    let chosen = choose(tree)
    choices = zip(tree.modules, chosen).map { Choice(module: $0.name, rule: $1) }
    var devices: [String: (cpu: Int, gpu: Int)] = [:]
    for (index, module) in tree.modules.enumerated() {
      switch module.role {
      case .experts(let layer): placeExperts(layer, chosen[index])
      case .attention(let layer): count("attention \(layer)", chosen, index, tree, &devices)
      case .feedForward(let layer): count("feedForward \(layer)", chosen, index, tree, &devices)
      case .output: output = device(chosen, index, tree) ?? .gpu
      case .embedding:
        if device(chosen, index, tree) == .gpu {
          notes.append("The token embeddings stay in host memory: a token reads one row of them.")
        }
      case nil: break
      }
    }
    for layer in wishes.indices {
      wishes[layer].attention = part("attention", layer, devices)
      wishes[layer].feedForward = part("feedForward", layer, devices)
    }
    notePrefill()
    for (index, count) in matchCounts.enumerated() where count == 0 {
      notes.append("The rule of line \(rules[index].line) matches nothing in this model.")
    }
  }

  /// For each module the rule that it got.
  private mutating func choose(_ tree: ModuleTree) -> [Int?] {
    var chosen: [Int?] = Array(repeating: nil, count: tree.modules.count)
    var isClosed = Array(repeating: false, count: tree.modules.count)
    for (index, module) in tree.modules.enumerated() {
      if let parent = module.parent, isClosed[parent] {
        isClosed[index] = true
        continue
      }
      guard let rule = rules.firstIndex(where: { Self.matches($0, module) }) else { continue }
      chosen[index] = rule
      matchCounts[rule] += 1
      isClosed[index] = !rules[rule].isRecursive
    }
    return chosen
  }

  private static func matches(_ rule: PlacementRule, _ module: ModelModule) -> Bool {
    if let name = rule.className, !module.classes.contains(name) { return false }
    return rule.name?.matches(in: module.name) ?? true
  }

  /// The device of a module: its own rule's or that of the nearest module around it, up to the layer.
  private func device(_ chosen: [Int?], _ index: Int, _ tree: ModuleTree) -> PlacementDevice? {
    var place: Int? = index
    while let here = place {
      if let rule = chosen[here], let device = rules[rule].device("generate_device") {
        return device
      }
      place = tree.modules[here].parent
    }
    return nil
  }

  private func count(
    _ part: String, _ chosen: [Int?], _ index: Int, _ tree: ModuleTree,
    _ devices: inout [String: (cpu: Int, gpu: Int)]
  ) {
    let device = device(chosen, index, tree)
    devices[part, default: (0, 0)].cpu += device == .cpu ? 1 : 0
    devices[part, default: (0, 0)].gpu += device == .cpu ? 0 : 1
  }

  private mutating func part(
    _ name: String, _ layer: Int, _ devices: [String: (cpu: Int, gpu: Int)]
  ) -> PlacementDevice {
    guard let counts = devices["\(name) \(layer)"], counts.cpu > 0 else { return .gpu }
    guard counts.gpu > 0 else { return .cpu }
    let what = name == "attention" ? "attention" : "router, shared experts or dense network"
    notes.append(
      "Rules put parts of layer \(layer)'s \(what) on both sides; all of it stays on the GPU.")
    return .gpu
  }

  private mutating func placeExperts(_ layer: Int, _ rule: Int?) {
    guard let rule else { return }
    expertRules[layer] = rule
    switch (rules[rule].device("generate_device"), rules[rule].device("prefill_device")) {
    case (.gpu?, _): wishes[layer].experts = .gpu
    case (.cpu?, .cpu?): wishes[layer].experts = .cpu
    case (.cpu?, _), (nil, _): wishes[layer].experts = .cached
    }
  }

  /// Says that parts other than experts have one place for both phases.
  private mutating func notePrefill() {
    let used = Set(expertRules.compactMap(\.self))
    let lines = rules.indices.filter { index in
      guard !used.contains(index), matchCounts[index] > 0,
        let generate = rules[index].device("generate_device"),
        let prefill = rules[index].device("prefill_device")
      else { return false }
      return generate != prefill
    }.map { String(rules[$0].line) }
    guard !lines.isEmpty else { return }
    notes.append(
      "\(lines.count == 1 ? "The rule of line" : "The rules of lines") "
        + "\(lines.joined(separator: ", ")) want different devices for the two phases; only routed "
        + "experts can have that, so these modules stay where they generate.")
  }
}

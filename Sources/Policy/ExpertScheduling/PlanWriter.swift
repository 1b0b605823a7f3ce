import Experts

/// Puts decisions into a plan one by one and keeps the three clocks: the one place that knows when
/// an operation starts and ends, so that all schedulers pay the same costs.
struct PlanWriter {
  private let costs: LayerCosts
  private let linkCost: Double
  private var cpuClock: Double
  private var gpuClock: Double
  private var linkClock: Double
  private var lastEnd = 0.0
  private var cpuHasStarted = false
  private var residentsAreLaunched = false

  /// Begins a plan: the shared expert first.
  ///
  /// `usesCPU` tells whether the plan will have the CPU compute anything: copies are slower then.
  init(_ layerCase: LayerCase, linkStart: Double, usesCPU: Bool, plan: inout LayerPlan) {
    costs = layerCase.costs
    linkCost = usesCPU ? costs.linkPerExpert : costs.linkPerExpertAlone
    cpuClock = layerCase.cpuFree
    gpuClock = layerCase.gpuFree
    linkClock = linkStart
    plan.reset()
    if costs.sharedOnGPU > 0 {
      let end = gpuClock + costs.sharedOnGPU
      plan.operations.append(Operation(.shared, on: .gpu, start: gpuClock, end: end))
      gpuClock = end
      lastEnd = end
    }
  }

  var gpuIsFreeAt: Double { gpuClock }

  mutating func compute(onCPU expert: ActivatedExpert, into plan: inout LayerPlan) {
    let start = cpuClock
    if !cpuHasStarted { cpuClock += costs.cpuFirst }
    cpuHasStarted = true
    cpuClock += costs.cpu(load: expert.load)
    lastEnd = max(lastEnd, cpuClock)
    plan.operations.append(
      Operation(.expert(expert.index), on: .cpu, start: start, end: cpuClock))
  }

  /// Copies an expert; returns when its last byte arrives.
  mutating func copy(_ expert: ActivatedExpert, into plan: inout LayerPlan) -> Double {
    let start = linkClock
    linkClock += linkCost
    plan.operations.append(
      Operation(.expert(expert.index), on: .link, start: start, end: linkClock))
    return linkClock
  }

  /// Computes an expert on the GPU, not before its weights have arrived.
  mutating func compute(
    onGPU expert: ActivatedExpert, readyAt ready: Double, into plan: inout LayerPlan
  ) {
    let start = max(gpuClock, ready)
    let paysLaunch = expert.residency != .resident || !residentsAreLaunched
    if expert.residency == .resident { residentsAreLaunched = true }
    gpuClock = start + costs.gpu(load: expert.load) + (paysLaunch ? costs.gpuPerLaunch : 0)
    lastEnd = max(lastEnd, gpuClock)
    plan.operations.append(
      Operation(.expert(expert.index), on: .gpu, start: start, end: gpuClock))
  }

  func finish(_ plan: inout LayerPlan) { plan.makespan = costs.handshake + lastEnd }
}

/// Writes the best plan of an assignment: given who computes on the GPU, the order that ends first.
///
/// The copies take equally long, so by Johnson's rule for two machines in a row the one whose GPU
/// time is longest goes first; the GPU never waits while something it could compute is there. The
/// CPU's order does not change the makespan: misses first, lowest load first, as the paper has it.
struct AssignmentWriter {
  private var ready: [Double] = []

  mutating func write(
    _ layer: SortedLayer, of layerCase: LayerCase, onGPU: [Bool], into plan: inout LayerPlan
  ) {
    let usesCPU = onGPU[..<layer.count].contains(false)
    var writer = PlanWriter(
      layerCase, linkStart: layer.linkStart, usesCPU: usesCPU, plan: &plan)
    let experts = layerCase.experts
    if usesCPU {
      for slot in layer.arrivals.reversed() where !onGPU[slot] {
        writer.compute(onCPU: experts[layer.items[slot].position], into: &plan)
      }
      for slot in layer.misses.reversed() where !onGPU[slot] {
        writer.compute(onCPU: experts[layer.items[slot].position], into: &plan)
      }
      for slot in layer.residents.reversed() where !onGPU[slot] {
        writer.compute(onCPU: experts[layer.items[slot].position], into: &plan)
      }
    }
    ready.removeAll(keepingCapacity: true)
    for slot in layer.misses where onGPU[slot] {
      ready.append(writer.copy(experts[layer.items[slot].position], into: &plan))
    }
    writeGPU(layer, experts, onGPU, &writer, into: &plan)
    writer.finish(&plan)
  }

  // Residents by falling load, and between them whatever has arrived by then with a higher load.
  private func writeGPU(
    _ layer: SortedLayer, _ experts: [ActivatedExpert], _ onGPU: [Bool],
    _ writer: inout PlanWriter, into plan: inout LayerPlan
  ) {
    var resident = 0
    var copies = 0
    for slot in layer.arrivals.lowerBound..<layer.count where onGPU[slot] {
      let item = layer.items[slot]
      writeResidents(
        from: &resident, until: item.ready, above: item.load, layer, experts, onGPU, &writer, &plan)
      writer.compute(onGPU: experts[item.position], readyAt: item.ready, into: &plan)
    }
    for slot in layer.misses where onGPU[slot] {
      let item = layer.items[slot]
      writeResidents(
        from: &resident, until: ready[copies], above: item.load, layer, experts, onGPU, &writer,
        &plan)
      writer.compute(onGPU: experts[item.position], readyAt: ready[copies], into: &plan)
      copies += 1
    }
    writeResidents(
      from: &resident, until: .infinity, above: 0, layer, experts, onGPU, &writer, &plan)
  }

  // Residents from `resident` on that start before `time`, and those that may start later but have
  // a load of at least `load`.
  private func writeResidents(
    from resident: inout Int, until time: Double, above load: Int, _ layer: SortedLayer,
    _ experts: [ActivatedExpert], _ onGPU: [Bool], _ writer: inout PlanWriter,
    _ plan: inout LayerPlan
  ) {
    while resident < layer.residentCount {
      if onGPU[resident] {
        let item = layer.items[resident]
        guard writer.gpuIsFreeAt < time || item.load >= load else { return }
        writer.compute(onGPU: experts[item.position], readyAt: 0, into: &plan)
      }
      resident += 1
    }
  }
}

import DeviceCompute
import Devices
import EmulatedDevice
import Testing

/// Streams that share queues are found out, and nothing hangs by it.
@Suite struct StreamIndependenceTests {
  static let configurations: [EmulatedDevice.Configuration] = [
    EmulatedDevice.Configuration(seed: 5),
    EmulatedDevice.Configuration(timing: .modelled(EmulatedTimes())),
  ]

  private func device(_ configuration: Int, queues: Int?) throws -> EmulatedDevice {
    var configuration = Self.configurations[configuration]
    configuration.queueCount = queues
    return try EmulatedDevice(configuration)
  }

  @Test(arguments: configurations.indices, [nil, 4, 7])
  func `with a queue for each, streams go on`(_ configuration: Int, _ queues: Int?) throws {
    let device = try device(configuration, queues: queues)
    #expect(try StreamIndependence.holds(on: device))
    #expect(try StreamIndependence.checked(device) === device)
  }

  @Test(arguments: configurations.indices, [1, 2, 3])
  func `with fewer they hold each other up, and memory is not waited for`(
    _ configuration: Int, _ queues: Int
  ) throws {
    let device = try device(configuration, queues: queues)
    #expect(try !StreamIndependence.holds(on: device))
    try device.synchronize()
    let checked = try StreamIndependence.checked(device)
    #expect(!checked.properties.waitsForMemory)
    #expect(checked.properties.remark?.contains("hold each other up") == true)
    #expect(checked.properties.name == device.properties.name)
    let (first, second) = (try checked.makeStream(name: "a"), try checked.makeStream(name: "b"))
    let memory = try checked.allocatePinned(byteCount: 4, purpose: "test")
    let operations = try DeviceOperations(checked)
    try operations.publish(3, to: memory.word(at: 0), on: first)
    let event = try checked.makeEvent()
    try first.record(event)
    try second.wait(for: event)
    try operations.publish(4, to: memory.word(at: 0), on: second)
    try checked.synchronize()
    #expect(memory.word(at: 0).load() == 4)
  }

  @Test func `a device that cannot wait for memory is not tried`() throws {
    let device = try EmulatedDevice(.init(waitsForMemory: false))
    #expect(try StreamIndependence.checked(device) === device)
  }
}

import CGPUKernels
import Devices
import EmulatedDevice
import Testing

@Test func `every kernel that is carried for a driver runs here too`() throws {
  let device = try EmulatedDevice()
  let files = UnsafeBufferPointer(start: gpu_ptx_files(), count: gpu_ptx_count())
  #expect(files.count >= 18)
  for file in files {
    let name = String(cString: file.name)
    let text = String(
      decoding: UnsafeRawBufferPointer(start: file.text, count: file.byte_count), as: UTF8.self)
    // As old as possible: a driver refuses what is newer than itself.
    #expect(text.contains("\n.version 8.1\n.target sm_80\n"), "\(name)")
    let entries = text.split(separator: "\n").filter { $0.hasPrefix(".visible .entry ") }
      .map { $0.dropFirst(".visible .entry ".count).prefix { $0 != "(" } }
    #expect(entries == [name[...]], "a file has one kernel, of its name")
    #expect(try device.kernel(name).name == name)
    #expect(file.text[file.byte_count] == 0, "\(name) is a C string")
  }
}

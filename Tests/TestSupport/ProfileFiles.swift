import Glibc

/// Text of a file of the repository, by its path from the root.
public func repositoryText(_ path: String) throws -> String {
  String(decoding: try fileBytes(path: repositoryRoot() + "/" + path), as: UTF8.self)
}

/// Text of a file under `Profiles/`, such as `machines/paper`.
public func profileText(_ name: String) throws -> String {
  try repositoryText("Profiles/\(name).json")
}

/// Names of the files in one folder under `Profiles/`, without `.json`, sorted.
public func profileNames(in folder: String) throws -> [String] {
  let directory = try repositoryRoot() + "/Profiles/" + folder
  guard let stream = opendir(directory) else { throw FileReadingError(path: directory) }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name.hasSuffix(".json") { names.append(String(name.dropLast(5))) }
  }
  return names.sorted()
}

private func repositoryRoot() throws -> String {
  // Resolved first, since a package made for quick tests reaches this file through a link.
  var path = [CChar](repeating: 0, count: Int(PATH_MAX))
  guard realpath(#filePath, &path) != nil else { throw FileReadingError(path: #filePath) }
  let file = String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return "/" + file.split(separator: "/").dropLast(3).joined(separator: "/")
}

// swift-tools-version: 6.3
import PackageDescription

/// Settings of every Swift target: a warning is an error.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Settings of the pure targets (`Formats/`): unsafe code does not compile there.
let pure: [SwiftSetting] = strict + [.strictMemorySafety()]

let package = Package(
  name: "hybrimoe",
  products: [
    .executable(name: "hybrimoe", targets: ["hybrimoe"]),
    .library(name: "HybriMoEInference", targets: ["Inference", "Models", "HostMemory"]),
    .library(
      name: "HybriMoEPolicy",
      targets: [
        "ExpertCaching", "ExpertDirection", "ExpertPrefetching", "ExpertScheduling",
        "ExpertSimulation", "Experts", "Placement", "RoutingTraces",
      ]),
    .library(name: "HybriMoESampling", targets: ["RandomNumbers", "Sampling"]),
    .library(name: "HybriMoECompute", targets: ["CPUCompute", "HostMemory"]),
    // The worlds that tests and benchmarks draw from.
    .library(name: "HybriMoETestSupport", targets: ["TestSupport"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: []),
    // For `pull` alone.
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
  ],
  targets: [
    // Formats: pure values, import only Formats.
    .target(name: "Tensors", path: "Sources/Formats/Tensors", swiftSettings: pure),
    .target(
      name: "GGUF", dependencies: ["Tensors"], path: "Sources/Formats/GGUF", swiftSettings: pure),
    .target(
      name: "ExpertArithmetic", dependencies: ["Tensors"], path: "Sources/Formats/ExpertArithmetic",
      swiftSettings: pure),
    .target(name: "Tokenizers", path: "Sources/Formats/Tokenizers", swiftSettings: pure),

    .target(
      name: "ChatTemplates", dependencies: ["OrderedJSON"], path: "Sources/Formats/ChatTemplates",
      swiftSettings: pure),
    .target(name: "OrderedJSON", path: "Sources/Formats/OrderedJSON", swiftSettings: pure),
    .target(name: "RandomNumbers", path: "Sources/Formats/RandomNumbers", swiftSettings: pure),

    .target(name: "YAMLSubset", path: "Sources/Formats/YAMLSubset", swiftSettings: pure),

    // What a terminal shows and sends, without a terminal.
    .target(name: "TextColumns", path: "Sources/Formats/TextColumns", swiftSettings: pure),
    .target(
      name: "LineEditing", dependencies: ["TextColumns"], path: "Sources/Formats/LineEditing",
      swiftSettings: pure),
    .target(
      name: "MarkdownScreens", dependencies: ["TextColumns"],
      path: "Sources/Formats/MarkdownScreens", swiftSettings: pure),

    // Policy: the three ideas and what judges them; pure values that know no machine.
    .target(name: "Experts", path: "Sources/Policy/Experts", swiftSettings: pure),
    .target(
      name: "ExpertScheduling", dependencies: ["Experts", "OrderedJSON"],
      path: "Sources/Policy/ExpertScheduling",
      swiftSettings: pure),
    .target(
      name: "ExpertCaching", dependencies: ["Experts"], path: "Sources/Policy/ExpertCaching",
      swiftSettings: pure),
    .target(
      name: "ExpertPrefetching", dependencies: ["ExpertCaching", "ExpertScheduling", "Experts"],
      path: "Sources/Policy/ExpertPrefetching", swiftSettings: pure),
    .target(
      name: "RoutingTraces", dependencies: ["Experts", "OrderedJSON", "RandomNumbers"],
      path: "Sources/Policy/RoutingTraces", swiftSettings: pure),
    .target(
      name: "Placement", dependencies: ["Experts", "OrderedJSON", "RandomNumbers", "YAMLSubset"],
      path: "Sources/Policy/Placement",
      swiftSettings: pure),
    .target(
      name: "ExpertDirection",
      dependencies: ["ExpertCaching", "ExpertPrefetching", "ExpertScheduling", "Experts"],
      path: "Sources/Policy/ExpertDirection", swiftSettings: pure),
    .target(
      name: "ExpertSimulation",
      dependencies: [
        "ExpertCaching", "ExpertDirection", "ExpertPrefetching", "ExpertScheduling", "Experts",
        "OrderedJSON",
        "Placement", "RoutingTraces",
      ],
      path: "Sources/Policy/ExpertSimulation", swiftSettings: pure),

    .target(
      name: "Pictures", dependencies: ["Experts"], path: "Sources/Policy/Pictures",
      swiftSettings: pure),

    // Machine: unsafe code lives here and only here; no notion of an expert.
    .systemLibrary(
      name: "CZlib", path: "Sources/Machine/CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "Compression", dependencies: ["CZlib"], path: "Sources/Machine/Compression",
      swiftSettings: strict),
    .target(name: "CChecksums", path: "Sources/Machine/CChecksums"),
    .target(
      name: "Checksums", dependencies: ["CChecksums"], path: "Sources/Machine/Checksums",
      swiftSettings: strict),
    .target(name: "CSystemCalls", path: "Sources/Machine/CSystemCalls"),
    .target(
      name: "HostMemory", dependencies: ["CSystemCalls"], path: "Sources/Machine/HostMemory",
      swiftSettings: strict),
    .target(
      name: "CKernels", path: "Sources/Machine/CKernels", exclude: ["body"],
      cSettings: [.headerSearchPath(".")]),
    .target(
      name: "CPUCompute", dependencies: ["CKernels", "CSystemCalls", "HostMemory", "Tensors"],
      path: "Sources/Machine/CPUCompute", swiftSettings: strict),

    // A GPU, real or emulated: memory, streams, kernels.
    .target(
      name: "Devices", dependencies: ["CSystemCalls", "HostMemory"],
      path: "Sources/Machine/Devices",
      swiftSettings: strict),
    .target(
      name: "CGPUKernels", path: "Sources/Machine/CGPUKernels", exclude: ["kernels", "ptx"]),
    .target(
      name: "CGPUEmulation", path: "Sources/Machine/CGPUEmulation"),
    .target(
      name: "EmulatedDevice", dependencies: ["CGPUEmulation", "Devices", "HostMemory"],
      path: "Sources/Machine/EmulatedDevice", swiftSettings: strict),
    .target(
      name: "CUDADriver", dependencies: ["CGPUKernels", "CSystemCalls", "Devices", "HostMemory"],
      path: "Sources/Machine/CUDADriver", swiftSettings: strict),
    .target(
      name: "DeviceCompute",
      dependencies: ["CGPUKernels", "CKernels", "CPUCompute", "Devices", "HostMemory", "Tensors"],
      path: "Sources/Machine/DeviceCompute", swiftSettings: strict),

    // Engine: the only place where formats, policy and machine meet.
    .target(
      name: "Models", dependencies: ["CPUCompute", "Experts", "GGUF", "HostMemory", "Tensors"],
      path: "Sources/Engine/Models", swiftSettings: strict),
    .target(
      name: "Sampling", dependencies: ["RandomNumbers"], path: "Sources/Engine/Sampling",
      swiftSettings: pure),
    .target(
      name: "Inference",
      dependencies: [
        "ChatTemplates", "CPUCompute", "Experts", "GGUF", "HostMemory", "Models", "OrderedJSON",
        "RoutingTraces", "Sampling", "Tensors", "Tokenizers",
      ],
      path: "Sources/Engine/Inference", swiftSettings: strict),

    .target(
      name: "HybridExperts",
      dependencies: [
        "CGPUKernels", "CPUCompute", "DeviceCompute", "Devices", "ExpertCaching",
        "ExpertDirection", "ExpertPrefetching", "ExpertScheduling", "ExpertSimulation", "Experts",
        "HostMemory", "Models", "OrderedJSON", "Placement", "RoutingTraces", "Tensors",
      ],
      path: "Sources/Engine/HybridExperts", swiftSettings: strict),
    .target(
      name: "HybridDecoding",
      dependencies: [
        "CGPUKernels", "CPUCompute", "DeviceCompute", "Devices", "Experts", "HostMemory",
        "HybridExperts", "Models", "Tensors",
      ],
      path: "Sources/Engine/HybridDecoding", swiftSettings: strict),

    // Product: thin.
    .target(name: "CBundledModel", path: "Sources/Product/CBundledModel", exclude: ["model"]),
    .target(name: "CProfiles", path: "Sources/Product/CProfiles"),
    // The only part that uses a network.
    .target(
      name: "Downloads",
      dependencies: [
        "Checksums", "OrderedJSON",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      path: "Sources/Product/Downloads", swiftSettings: strict),
    .executableTarget(
      name: "hybrimoe",
      dependencies: [
        "CBundledModel", "ChatTemplates", "Compression", "CPUCompute", "CProfiles", "CUDADriver",
        "DeviceCompute", "Devices", "Downloads", "EmulatedDevice", "ExpertCaching",
        "ExpertDirection", "ExpertPrefetching", "ExpertScheduling", "ExpertSimulation", "Experts",
        "GGUF", "HostMemory", "HybridDecoding",
        "HybridExperts", "Inference", "LineEditing", "MarkdownScreens", "Models",
        "OrderedJSON", "Pictures", "Placement", "RandomNumbers", "RoutingTraces", "Sampling",
        "Tensors", "TextColumns", "Tokenizers",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
      ],
      path: "Sources/Product/hybrimoe", swiftSettings: strict),

    // Tests.
    .target(
      name: "TestSupport", dependencies: ["Experts", "GGUF", "Tensors", "TextColumns"],
      path: "Tests/TestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "ExpertArithmeticTests", dependencies: ["ExpertArithmetic", "Tensors", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "GGUFTests", dependencies: ["GGUF", "Tensors", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "TokenizersTests", dependencies: ["Tokenizers", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "InferenceTests",
      dependencies: [
        "CPUCompute", "Experts", "GGUF", "HostMemory", "Inference", "Models", "RoutingTraces",
        "Sampling", "Tensors", "TestSupport", "Tokenizers",
      ],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "CPUComputeTests",
      dependencies: [
        "CKernels", "CPUCompute", "ExpertArithmetic", "HostMemory", "Tensors", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "RandomNumbersTests", dependencies: ["RandomNumbers", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "SamplingTests", dependencies: ["RandomNumbers", "Sampling", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "OrderedJSONTests", dependencies: ["OrderedJSON", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ExpertSchedulingTests",
      dependencies: ["ExpertScheduling", "Experts", "OrderedJSON", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ExpertCachingTests", dependencies: ["ExpertCaching", "Experts", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ExpertPrefetchingTests",
      dependencies: ["ExpertPrefetching", "ExpertScheduling", "Experts", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PicturesTests", dependencies: ["Experts", "Pictures", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "RoutingTracesTests",
      dependencies: ["RoutingTraces", "ExpertCaching", "Experts", "RandomNumbers", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "YAMLSubsetTests", dependencies: ["YAMLSubset", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "LineEditingTests", dependencies: ["LineEditing", "TestSupport", "TextColumns"],
      swiftSettings: strict),
    .testTarget(
      name: "MarkdownScreensTests", dependencies: ["MarkdownScreens", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PlacementTests", dependencies: ["Placement", "Experts", "OrderedJSON", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ExpertDirectionTests",
      dependencies: [
        "ExpertCaching", "ExpertDirection", "ExpertPrefetching", "ExpertScheduling",
        "ExpertSimulation", "Experts", "RandomNumbers", "RoutingTraces", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ExpertSimulationTests",
      dependencies: [
        "ExpertCaching", "ExpertDirection", "ExpertScheduling", "ExpertSimulation", "Experts",
        "OrderedJSON",
        "Placement",
        "RoutingTraces", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EmulatedDeviceTests",
      dependencies: ["Devices", "EmulatedDevice", "CGPUKernels", "HostMemory", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CUDADriverTests",
      dependencies: ["CGPUKernels", "CUDADriver", "Devices", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "DeviceComputeTests",
      dependencies: [
        "CGPUEmulation", "CGPUKernels", "CKernels", "CPUCompute", "DeviceCompute", "Devices",
        "EmulatedDevice", "ExpertArithmetic", "HostMemory", "Models", "Tensors", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "HybridExpertsTests",
      dependencies: [
        "CPUCompute", "DeviceCompute", "Devices", "EmulatedDevice", "ExpertCaching",
        "ExpertDirection", "ExpertPrefetching", "ExpertScheduling", "ExpertSimulation", "Experts",
        "GGUF",
        "HostMemory", "HybridExperts", "Models", "OrderedJSON", "Placement", "RoutingTraces",
        "Tensors",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "HybridDecodingTests",
      dependencies: [
        "CPUCompute", "DeviceCompute", "Devices", "EmulatedDevice", "ExpertCaching",
        "ExpertDirection", "ExpertScheduling", "ExpertSimulation", "Experts", "GGUF", "HostMemory",
        "HybridDecoding",
        "HybridExperts", "Inference", "Models", "Placement", "RoutingTraces", "Tensors",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ConversationFormatTests",
      dependencies: ["ChatTemplates", "Inference", "OrderedJSON", "Tokenizers"],
      swiftSettings: strict),
    .testTarget(
      name: "ChatTemplatesTests", dependencies: ["ChatTemplates", "OrderedJSON"],
      swiftSettings: strict),
    .testTarget(
      name: "ChecksumsTests", dependencies: ["CChecksums", "Checksums", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "DownloadsTests", dependencies: ["Downloads", "OrderedJSON", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "hybrimoe", "Compression", "Devices", "Downloads", "GGUF", "HostMemory", "Inference",
        "Tensors", "TestSupport",
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c2x,
  cxxLanguageStandard: .cxx20
)

import Testing
import YAMLSubset

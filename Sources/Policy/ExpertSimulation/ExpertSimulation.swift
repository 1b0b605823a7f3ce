import Experts

import Devices


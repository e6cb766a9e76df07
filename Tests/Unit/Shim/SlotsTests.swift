import DataPath
import Testing

@testable import Shim

@Suite struct SlotsTests {
    /// The slot behind the last one is the first container's reception.
    @Test func whenAllAreTakenThereIsNone() {
        var slots = Slots(Redirector.slots)
        for number in 0..<64 as Range<UInt32> {
            #expect(slots.free == number)
            slots.take(number)
        }
        #expect(slots.free == nil)
        slots.giveBack(7)
        #expect(slots.free == 7)
    }
}

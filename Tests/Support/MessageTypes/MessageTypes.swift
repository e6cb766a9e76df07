import ContainerdAPI
import Protobuf

@testable import TTRPC

/// Every message there is, to be tried one by one.
package let messageTypes: [any Message.Type] = [
    AnyMessage.self, Timestamp.self, StatusMessage.self,
    RequestEnvelope.self, ResponseEnvelope.self, KeyValue.self,
    CreateTaskRequest.self, CreateTaskResponse.self, StartRequest.self, StartResponse.self, DeleteRequest.self,
    DeleteResponse.self, StateRequest.self, StateResponse.self, PidsRequest.self, PidsResponse.self, PauseRequest.self,
    ResumeRequest.self, CheckpointTaskRequest.self, KillRequest.self, ExecProcessRequest.self, ResizePtyRequest.self,
    CloseIORequest.self, UpdateTaskRequest.self, WaitRequest.self, WaitResponse.self, StatsRequest.self,
    StatsResponse.self, ConnectRequest.self, ConnectResponse.self, ShutdownRequest.self,
    Mount.self, ProcessInfo.self,
    TaskCreate.self, TaskIO.self, TaskStart.self, TaskExit.self, TaskDelete.self, TaskExecAdded.self,
    TaskExecStarted.self, TaskOOM.self, TaskPaused.self, TaskResumed.self, TaskCheckpointed.self,
    ForwardRequest.self, EventEnvelope.self,
    RuncOptions.self, CheckpointOptions.self, ProcessDetails.self, RuntimeOptions.self,
    BootstrapParams.self, BootstrapExtension.self, BootstrapResult.self, RuntimeInfo.self, RuntimeVersion.self,
    CgroupV1Metrics.self, CgroupV1Pids.self, CgroupV1HugePages.self,
    CgroupV1CPU.self, CgroupV1CPUUsage.self, CgroupV1CPUThrottling.self, CgroupV1Memory.self,
    CgroupV1MemoryEntry.self, CgroupV1MemoryOOMControl.self, CgroupV1BlockIO.self, CgroupV1BlockIOEntry.self,
    CgroupV2Metrics.self, CgroupV2Pids.self, CgroupV2HugePages.self, CgroupV2CPU.self,
    CgroupV2Pressure.self, CgroupV2PressureData.self, CgroupV2Memory.self, CgroupV2MemoryEvents.self, CgroupV2IO.self,
    CgroupV2IOEntry.self,
]

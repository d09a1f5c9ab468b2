import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_FLOAT32: _ClassVar[DataType]
    DATA_TYPE_FLOAT64: _ClassVar[DataType]
    DATA_TYPE_INT64: _ClassVar[DataType]
    DATA_TYPE_BOOL: _ClassVar[DataType]

class AutoresetMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUTORESET_MODE_UNSPECIFIED: _ClassVar[AutoresetMode]
    AUTORESET_MODE_NEXT_STEP: _ClassVar[AutoresetMode]
    AUTORESET_MODE_SAME_STEP: _ClassVar[AutoresetMode]
    AUTORESET_MODE_DISABLED: _ClassVar[AutoresetMode]

class NumberEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NUMBER_ENCODING_UNSPECIFIED: _ClassVar[NumberEncoding]
    NUMBER_ENCODING_PACKED: _ClassVar[NumberEncoding]
    NUMBER_ENCODING_REPEATED: _ClassVar[NumberEncoding]

class ActionPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_POLICY_UNSPECIFIED: _ClassVar[ActionPolicy]
    ACTION_POLICY_CLIP: _ClassVar[ActionPolicy]
    ACTION_POLICY_REJECT: _ClassVar[ActionPolicy]

class FlowScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FLOW_SCOPE_UNSPECIFIED: _ClassVar[FlowScope]
    FLOW_SCOPE_SELF: _ClassVar[FlowScope]
    FLOW_SCOPE_HOST: _ClassVar[FlowScope]
    FLOW_SCOPE_BOTTLENECK: _ClassVar[FlowScope]
    FLOW_SCOPE_ALL: _ClassVar[FlowScope]

class FlowBand(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FLOW_BAND_UNSPECIFIED: _ClassVar[FlowBand]
    FLOW_BAND_MEMBERSHIP: _ClassVar[FlowBand]
    FLOW_BAND_CONTROL: _ClassVar[FlowBand]
    FLOW_BAND_FAULT: _ClassVar[FlowBand]
    FLOW_BAND_MEASUREMENT: _ClassVar[FlowBand]
    FLOW_BAND_TRUTH: _ClassVar[FlowBand]
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_FLOAT32: DataType
DATA_TYPE_FLOAT64: DataType
DATA_TYPE_INT64: DataType
DATA_TYPE_BOOL: DataType
AUTORESET_MODE_UNSPECIFIED: AutoresetMode
AUTORESET_MODE_NEXT_STEP: AutoresetMode
AUTORESET_MODE_SAME_STEP: AutoresetMode
AUTORESET_MODE_DISABLED: AutoresetMode
NUMBER_ENCODING_UNSPECIFIED: NumberEncoding
NUMBER_ENCODING_PACKED: NumberEncoding
NUMBER_ENCODING_REPEATED: NumberEncoding
ACTION_POLICY_UNSPECIFIED: ActionPolicy
ACTION_POLICY_CLIP: ActionPolicy
ACTION_POLICY_REJECT: ActionPolicy
FLOW_SCOPE_UNSPECIFIED: FlowScope
FLOW_SCOPE_SELF: FlowScope
FLOW_SCOPE_HOST: FlowScope
FLOW_SCOPE_BOTTLENECK: FlowScope
FLOW_SCOPE_ALL: FlowScope
FLOW_BAND_UNSPECIFIED: FlowBand
FLOW_BAND_MEMBERSHIP: FlowBand
FLOW_BAND_CONTROL: FlowBand
FLOW_BAND_FAULT: FlowBand
FLOW_BAND_MEASUREMENT: FlowBand
FLOW_BAND_TRUTH: FlowBand

class Dimension(_message.Message):
    __slots__ = ("name", "unit", "low", "high", "definition")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: str
    low: float
    high: float
    definition: str
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[str] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., definition: _Optional[str] = ...) -> None: ...

class BoxSpace(_message.Message):
    __slots__ = ("dtype", "shape", "low", "high", "dimensions")
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    dtype: DataType
    shape: _containers.RepeatedScalarFieldContainer[int]
    low: bytes
    high: bytes
    dimensions: _containers.RepeatedCompositeFieldContainer[Dimension]
    def __init__(self, dtype: _Optional[_Union[DataType, str]] = ..., shape: _Optional[_Iterable[int]] = ..., low: _Optional[bytes] = ..., high: _Optional[bytes] = ..., dimensions: _Optional[_Iterable[_Union[Dimension, _Mapping]]] = ...) -> None: ...

class Choice(_message.Message):
    __slots__ = ("name", "definition")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    name: str
    definition: str
    def __init__(self, name: _Optional[str] = ..., definition: _Optional[str] = ...) -> None: ...

class DiscreteSpace(_message.Message):
    __slots__ = ("dtype", "choices")
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    dtype: DataType
    choices: _containers.RepeatedCompositeFieldContainer[Choice]
    def __init__(self, dtype: _Optional[_Union[DataType, str]] = ..., choices: _Optional[_Iterable[_Union[Choice, _Mapping]]] = ...) -> None: ...

class Space(_message.Message):
    __slots__ = ("box", "discrete")
    BOX_FIELD_NUMBER: _ClassVar[int]
    DISCRETE_FIELD_NUMBER: _ClassVar[int]
    box: BoxSpace
    discrete: DiscreteSpace
    def __init__(self, box: _Optional[_Union[BoxSpace, _Mapping]] = ..., discrete: _Optional[_Union[DiscreteSpace, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("server_version", "protocol_version", "features", "env_ids", "max_sessions", "max_envs_per_session", "max_message_bytes", "max_steps_per_sec")
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    ENV_IDS_FIELD_NUMBER: _ClassVar[int]
    MAX_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_ENVS_PER_SESSION_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_STEPS_PER_SEC_FIELD_NUMBER: _ClassVar[int]
    server_version: str
    protocol_version: str
    features: _containers.RepeatedScalarFieldContainer[str]
    env_ids: _containers.RepeatedScalarFieldContainer[str]
    max_sessions: int
    max_envs_per_session: int
    max_message_bytes: int
    max_steps_per_sec: float
    def __init__(self, server_version: _Optional[str] = ..., protocol_version: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., env_ids: _Optional[_Iterable[str]] = ..., max_sessions: _Optional[int] = ..., max_envs_per_session: _Optional[int] = ..., max_message_bytes: _Optional[int] = ..., max_steps_per_sec: _Optional[float] = ...) -> None: ...

class ListEnvsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EnvInfo(_message.Message):
    __slots__ = ("env_id", "description", "several_flows", "kwargs_json_schema", "scenario_json_schema")
    ENV_ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SEVERAL_FLOWS_FIELD_NUMBER: _ClassVar[int]
    KWARGS_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    env_id: str
    description: str
    several_flows: bool
    kwargs_json_schema: str
    scenario_json_schema: str
    def __init__(self, env_id: _Optional[str] = ..., description: _Optional[str] = ..., several_flows: bool = ..., kwargs_json_schema: _Optional[str] = ..., scenario_json_schema: _Optional[str] = ...) -> None: ...

class ListEnvsResponse(_message.Message):
    __slots__ = ("envs",)
    ENVS_FIELD_NUMBER: _ClassVar[int]
    envs: _containers.RepeatedCompositeFieldContainer[EnvInfo]
    def __init__(self, envs: _Optional[_Iterable[_Union[EnvInfo, _Mapping]]] = ...) -> None: ...

class DescribeEnvRequest(_message.Message):
    __slots__ = ("env_id",)
    ENV_ID_FIELD_NUMBER: _ClassVar[int]
    env_id: str
    def __init__(self, env_id: _Optional[str] = ...) -> None: ...

class NamedSpace(_message.Message):
    __slots__ = ("name", "definition", "source", "space")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    name: str
    definition: str
    source: str
    space: Space
    def __init__(self, name: _Optional[str] = ..., definition: _Optional[str] = ..., source: _Optional[str] = ..., space: _Optional[_Union[Space, _Mapping]] = ...) -> None: ...

class RewardComponent(_message.Message):
    __slots__ = ("name", "definition")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    name: str
    definition: str
    def __init__(self, name: _Optional[str] = ..., definition: _Optional[str] = ...) -> None: ...

class NamedReward(_message.Message):
    __slots__ = ("name", "definition", "source", "low", "high", "components")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    definition: str
    source: str
    low: float
    high: float
    components: _containers.RepeatedCompositeFieldContainer[RewardComponent]
    def __init__(self, name: _Optional[str] = ..., definition: _Optional[str] = ..., source: _Optional[str] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., components: _Optional[_Iterable[_Union[RewardComponent, _Mapping]]] = ...) -> None: ...

class ScenarioInfo(_message.Message):
    __slots__ = ("name", "description", "source", "status", "note")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    source: str
    status: str
    note: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., source: _Optional[str] = ..., status: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class InfoKey(_message.Message):
    __slots__ = ("key", "dtype", "unit", "definition")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    key: str
    dtype: DataType
    unit: str
    definition: str
    def __init__(self, key: _Optional[str] = ..., dtype: _Optional[_Union[DataType, str]] = ..., unit: _Optional[str] = ..., definition: _Optional[str] = ...) -> None: ...

class DescribeEnvResponse(_message.Message):
    __slots__ = ("env", "observations", "actions", "rewards", "scenarios", "info_keys", "state_space")
    ENV_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    REWARDS_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    INFO_KEYS_FIELD_NUMBER: _ClassVar[int]
    STATE_SPACE_FIELD_NUMBER: _ClassVar[int]
    env: EnvInfo
    observations: _containers.RepeatedCompositeFieldContainer[NamedSpace]
    actions: _containers.RepeatedCompositeFieldContainer[NamedSpace]
    rewards: _containers.RepeatedCompositeFieldContainer[NamedReward]
    scenarios: _containers.RepeatedCompositeFieldContainer[ScenarioInfo]
    info_keys: _containers.RepeatedCompositeFieldContainer[InfoKey]
    state_space: Space
    def __init__(self, env: _Optional[_Union[EnvInfo, _Mapping]] = ..., observations: _Optional[_Iterable[_Union[NamedSpace, _Mapping]]] = ..., actions: _Optional[_Iterable[_Union[NamedSpace, _Mapping]]] = ..., rewards: _Optional[_Iterable[_Union[NamedReward, _Mapping]]] = ..., scenarios: _Optional[_Iterable[_Union[ScenarioInfo, _Mapping]]] = ..., info_keys: _Optional[_Iterable[_Union[InfoKey, _Mapping]]] = ..., state_space: _Optional[_Union[Space, _Mapping]] = ...) -> None: ...

class CreateSessionRequest(_message.Message):
    __slots__ = ("env_id", "num_envs", "kwargs", "max_episode_steps", "autoreset_mode", "action_policy", "info_keys", "lease_ttl", "request_id", "number_encoding", "with_state")
    ENV_ID_FIELD_NUMBER: _ClassVar[int]
    NUM_ENVS_FIELD_NUMBER: _ClassVar[int]
    KWARGS_FIELD_NUMBER: _ClassVar[int]
    MAX_EPISODE_STEPS_FIELD_NUMBER: _ClassVar[int]
    AUTORESET_MODE_FIELD_NUMBER: _ClassVar[int]
    ACTION_POLICY_FIELD_NUMBER: _ClassVar[int]
    INFO_KEYS_FIELD_NUMBER: _ClassVar[int]
    LEASE_TTL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_ENCODING_FIELD_NUMBER: _ClassVar[int]
    WITH_STATE_FIELD_NUMBER: _ClassVar[int]
    env_id: str
    num_envs: int
    kwargs: _struct_pb2.Struct
    max_episode_steps: int
    autoreset_mode: AutoresetMode
    action_policy: ActionPolicy
    info_keys: _containers.RepeatedScalarFieldContainer[str]
    lease_ttl: _duration_pb2.Duration
    request_id: str
    number_encoding: NumberEncoding
    with_state: bool
    def __init__(self, env_id: _Optional[str] = ..., num_envs: _Optional[int] = ..., kwargs: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., max_episode_steps: _Optional[int] = ..., autoreset_mode: _Optional[_Union[AutoresetMode, str]] = ..., action_policy: _Optional[_Union[ActionPolicy, str]] = ..., info_keys: _Optional[_Iterable[str]] = ..., lease_ttl: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ..., number_encoding: _Optional[_Union[NumberEncoding, str]] = ..., with_state: bool = ...) -> None: ...

class CreateSessionResponse(_message.Message):
    __slots__ = ("session_id", "session_token", "num_envs", "single_observation_space", "single_action_space", "autoreset_mode", "action_policy", "lease_ttl", "max_in_flight", "config_digest", "slots_per_env", "flow_ids", "state_space", "number_encoding", "step_seconds", "rng", "notes")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NUM_ENVS_FIELD_NUMBER: _ClassVar[int]
    SINGLE_OBSERVATION_SPACE_FIELD_NUMBER: _ClassVar[int]
    SINGLE_ACTION_SPACE_FIELD_NUMBER: _ClassVar[int]
    AUTORESET_MODE_FIELD_NUMBER: _ClassVar[int]
    ACTION_POLICY_FIELD_NUMBER: _ClassVar[int]
    LEASE_TTL_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SLOTS_PER_ENV_FIELD_NUMBER: _ClassVar[int]
    FLOW_IDS_FIELD_NUMBER: _ClassVar[int]
    STATE_SPACE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_ENCODING_FIELD_NUMBER: _ClassVar[int]
    STEP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RNG_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    num_envs: int
    single_observation_space: Space
    single_action_space: Space
    autoreset_mode: AutoresetMode
    action_policy: ActionPolicy
    lease_ttl: _duration_pb2.Duration
    max_in_flight: int
    config_digest: str
    slots_per_env: int
    flow_ids: _containers.RepeatedScalarFieldContainer[str]
    state_space: Space
    number_encoding: NumberEncoding
    step_seconds: float
    rng: str
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ..., num_envs: _Optional[int] = ..., single_observation_space: _Optional[_Union[Space, _Mapping]] = ..., single_action_space: _Optional[_Union[Space, _Mapping]] = ..., autoreset_mode: _Optional[_Union[AutoresetMode, str]] = ..., action_policy: _Optional[_Union[ActionPolicy, str]] = ..., lease_ttl: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_in_flight: _Optional[int] = ..., config_digest: _Optional[str] = ..., slots_per_env: _Optional[int] = ..., flow_ids: _Optional[_Iterable[str]] = ..., state_space: _Optional[_Union[Space, _Mapping]] = ..., number_encoding: _Optional[_Union[NumberEncoding, str]] = ..., step_seconds: _Optional[float] = ..., rng: _Optional[str] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class CloseSessionRequest(_message.Message):
    __slots__ = ("session_id", "session_token")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ...) -> None: ...

class CloseSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SeedList(_message.Message):
    __slots__ = ("seeds",)
    SEEDS_FIELD_NUMBER: _ClassVar[int]
    seeds: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, seeds: _Optional[_Iterable[int]] = ...) -> None: ...

class ResetRequest(_message.Message):
    __slots__ = ("session_id", "session_token", "seq", "seed", "seeds", "reset_mask", "options")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SEEDS_FIELD_NUMBER: _ClassVar[int]
    RESET_MASK_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    seq: int
    seed: int
    seeds: SeedList
    reset_mask: bytes
    options: _struct_pb2.Struct
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ..., seq: _Optional[int] = ..., seed: _Optional[int] = ..., seeds: _Optional[_Union[SeedList, _Mapping]] = ..., reset_mask: _Optional[bytes] = ..., options: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class InfoColumn(_message.Message):
    __slots__ = ("key", "dtype", "mask", "values")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    key: str
    dtype: DataType
    mask: bytes
    values: bytes
    def __init__(self, key: _Optional[str] = ..., dtype: _Optional[_Union[DataType, str]] = ..., mask: _Optional[bytes] = ..., values: _Optional[bytes] = ...) -> None: ...

class ResetResponse(_message.Message):
    __slots__ = ("seq", "observations", "infos", "present", "live", "states", "observation_values", "state_values")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    INFOS_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_VALUES_FIELD_NUMBER: _ClassVar[int]
    STATE_VALUES_FIELD_NUMBER: _ClassVar[int]
    seq: int
    observations: _containers.RepeatedScalarFieldContainer[bytes]
    infos: _containers.RepeatedCompositeFieldContainer[InfoColumn]
    present: bytes
    live: bytes
    states: bytes
    observation_values: _containers.RepeatedScalarFieldContainer[float]
    state_values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, seq: _Optional[int] = ..., observations: _Optional[_Iterable[bytes]] = ..., infos: _Optional[_Iterable[_Union[InfoColumn, _Mapping]]] = ..., present: _Optional[bytes] = ..., live: _Optional[bytes] = ..., states: _Optional[bytes] = ..., observation_values: _Optional[_Iterable[float]] = ..., state_values: _Optional[_Iterable[float]] = ...) -> None: ...

class StepRequest(_message.Message):
    __slots__ = ("session_id", "session_token", "seq", "actions", "action_values")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ACTION_VALUES_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    seq: int
    actions: _containers.RepeatedScalarFieldContainer[bytes]
    action_values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ..., seq: _Optional[int] = ..., actions: _Optional[_Iterable[bytes]] = ..., action_values: _Optional[_Iterable[float]] = ...) -> None: ...

class FinalBatch(_message.Message):
    __slots__ = ("rows", "observations", "infos", "states", "observation_values", "state_values")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    INFOS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_VALUES_FIELD_NUMBER: _ClassVar[int]
    STATE_VALUES_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedScalarFieldContainer[int]
    observations: _containers.RepeatedScalarFieldContainer[bytes]
    infos: _containers.RepeatedCompositeFieldContainer[InfoColumn]
    states: bytes
    observation_values: _containers.RepeatedScalarFieldContainer[float]
    state_values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, rows: _Optional[_Iterable[int]] = ..., observations: _Optional[_Iterable[bytes]] = ..., infos: _Optional[_Iterable[_Union[InfoColumn, _Mapping]]] = ..., states: _Optional[bytes] = ..., observation_values: _Optional[_Iterable[float]] = ..., state_values: _Optional[_Iterable[float]] = ...) -> None: ...

class EpisodeSummary(_message.Message):
    __slots__ = ("row", "episode_return", "length", "sim_seconds", "seed", "episode_index", "terminated", "truncated", "metrics", "flow_id")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ROW_FIELD_NUMBER: _ClassVar[int]
    EPISODE_RETURN_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    SIM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    EPISODE_INDEX_FIELD_NUMBER: _ClassVar[int]
    TERMINATED_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    row: int
    episode_return: float
    length: int
    sim_seconds: float
    seed: int
    episode_index: int
    terminated: bool
    truncated: bool
    metrics: _containers.ScalarMap[str, float]
    flow_id: str
    def __init__(self, row: _Optional[int] = ..., episode_return: _Optional[float] = ..., length: _Optional[int] = ..., sim_seconds: _Optional[float] = ..., seed: _Optional[int] = ..., episode_index: _Optional[int] = ..., terminated: bool = ..., truncated: bool = ..., metrics: _Optional[_Mapping[str, float]] = ..., flow_id: _Optional[str] = ...) -> None: ...

class StepResponse(_message.Message):
    __slots__ = ("seq", "observations", "rewards", "terminated", "truncated", "reset_rows", "final", "infos", "episodes", "present", "live", "ended", "states", "observation_values", "reward_values", "state_values")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    REWARDS_FIELD_NUMBER: _ClassVar[int]
    TERMINATED_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    RESET_ROWS_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    INFOS_FIELD_NUMBER: _ClassVar[int]
    EPISODES_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_VALUES_FIELD_NUMBER: _ClassVar[int]
    REWARD_VALUES_FIELD_NUMBER: _ClassVar[int]
    STATE_VALUES_FIELD_NUMBER: _ClassVar[int]
    seq: int
    observations: _containers.RepeatedScalarFieldContainer[bytes]
    rewards: bytes
    terminated: bytes
    truncated: bytes
    reset_rows: bytes
    final: FinalBatch
    infos: _containers.RepeatedCompositeFieldContainer[InfoColumn]
    episodes: _containers.RepeatedCompositeFieldContainer[EpisodeSummary]
    present: bytes
    live: bytes
    ended: bytes
    states: bytes
    observation_values: _containers.RepeatedScalarFieldContainer[float]
    reward_values: _containers.RepeatedScalarFieldContainer[float]
    state_values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, seq: _Optional[int] = ..., observations: _Optional[_Iterable[bytes]] = ..., rewards: _Optional[bytes] = ..., terminated: _Optional[bytes] = ..., truncated: _Optional[bytes] = ..., reset_rows: _Optional[bytes] = ..., final: _Optional[_Union[FinalBatch, _Mapping]] = ..., infos: _Optional[_Iterable[_Union[InfoColumn, _Mapping]]] = ..., episodes: _Optional[_Iterable[_Union[EpisodeSummary, _Mapping]]] = ..., present: _Optional[bytes] = ..., live: _Optional[bytes] = ..., ended: _Optional[bytes] = ..., states: _Optional[bytes] = ..., observation_values: _Optional[_Iterable[float]] = ..., reward_values: _Optional[_Iterable[float]] = ..., state_values: _Optional[_Iterable[float]] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ("session_id", "session_token", "env_index")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENV_INDEX_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    env_index: int
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ..., env_index: _Optional[int] = ...) -> None: ...

class LinkState(_message.Message):
    __slots__ = ("name", "rate_bytes_per_sec", "buffer_bytes", "queue_bytes", "queue_packets", "served_bytes", "dropped_packets")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RATE_BYTES_PER_SEC_FIELD_NUMBER: _ClassVar[int]
    BUFFER_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUEUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUEUE_PACKETS_FIELD_NUMBER: _ClassVar[int]
    SERVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_PACKETS_FIELD_NUMBER: _ClassVar[int]
    name: str
    rate_bytes_per_sec: float
    buffer_bytes: float
    queue_bytes: float
    queue_packets: float
    served_bytes: float
    dropped_packets: float
    def __init__(self, name: _Optional[str] = ..., rate_bytes_per_sec: _Optional[float] = ..., buffer_bytes: _Optional[float] = ..., queue_bytes: _Optional[float] = ..., queue_packets: _Optional[float] = ..., served_bytes: _Optional[float] = ..., dropped_packets: _Optional[float] = ...) -> None: ...

class FlowState(_message.Message):
    __slots__ = ("flow_id", "algorithm", "under_test", "live", "cwnd_bytes", "pacing_rate_bytes_per_sec", "inflight_bytes", "srtt_us", "min_rtt_us", "delivered_bytes", "lost_packets", "rto_count")
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    UNDER_TEST_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    CWND_BYTES_FIELD_NUMBER: _ClassVar[int]
    PACING_RATE_BYTES_PER_SEC_FIELD_NUMBER: _ClassVar[int]
    INFLIGHT_BYTES_FIELD_NUMBER: _ClassVar[int]
    SRTT_US_FIELD_NUMBER: _ClassVar[int]
    MIN_RTT_US_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_BYTES_FIELD_NUMBER: _ClassVar[int]
    LOST_PACKETS_FIELD_NUMBER: _ClassVar[int]
    RTO_COUNT_FIELD_NUMBER: _ClassVar[int]
    flow_id: str
    algorithm: str
    under_test: bool
    live: bool
    cwnd_bytes: float
    pacing_rate_bytes_per_sec: float
    inflight_bytes: float
    srtt_us: float
    min_rtt_us: float
    delivered_bytes: float
    lost_packets: float
    rto_count: float
    def __init__(self, flow_id: _Optional[str] = ..., algorithm: _Optional[str] = ..., under_test: bool = ..., live: bool = ..., cwnd_bytes: _Optional[float] = ..., pacing_rate_bytes_per_sec: _Optional[float] = ..., inflight_bytes: _Optional[float] = ..., srtt_us: _Optional[float] = ..., min_rtt_us: _Optional[float] = ..., delivered_bytes: _Optional[float] = ..., lost_packets: _Optional[float] = ..., rto_count: _Optional[float] = ...) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("time_us", "seed", "scenario_json", "links", "flows", "base_rtt_us", "bdp_bytes")
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_JSON_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    BASE_RTT_US_FIELD_NUMBER: _ClassVar[int]
    BDP_BYTES_FIELD_NUMBER: _ClassVar[int]
    time_us: float
    seed: int
    scenario_json: str
    links: _containers.RepeatedCompositeFieldContainer[LinkState]
    flows: _containers.RepeatedCompositeFieldContainer[FlowState]
    base_rtt_us: float
    bdp_bytes: float
    def __init__(self, time_us: _Optional[float] = ..., seed: _Optional[int] = ..., scenario_json: _Optional[str] = ..., links: _Optional[_Iterable[_Union[LinkState, _Mapping]]] = ..., flows: _Optional[_Iterable[_Union[FlowState, _Mapping]]] = ..., base_rtt_us: _Optional[float] = ..., bdp_bytes: _Optional[float] = ...) -> None: ...

class RenderRequest(_message.Message):
    __slots__ = ("session_id", "session_token", "env_index", "mode")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENV_INDEX_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    env_index: int
    mode: str
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ..., env_index: _Optional[int] = ..., mode: _Optional[str] = ...) -> None: ...

class RenderResponse(_message.Message):
    __slots__ = ("media_type", "data", "shape")
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    data: bytes
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, media_type: _Optional[str] = ..., data: _Optional[bytes] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class WatchEpisodesRequest(_message.Message):
    __slots__ = ("session_id", "session_token")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ...) -> None: ...

class WatchEpisodesResponse(_message.Message):
    __slots__ = ("episode", "dropped")
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    episode: EpisodeSummary
    dropped: int
    def __init__(self, episode: _Optional[_Union[EpisodeSummary, _Mapping]] = ..., dropped: _Optional[int] = ...) -> None: ...

class AttachRequest(_message.Message):
    __slots__ = ("session_id", "session_token", "last_seq_received", "take_over")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    TAKE_OVER_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    session_token: str
    last_seq_received: int
    take_over: bool
    def __init__(self, session_id: _Optional[str] = ..., session_token: _Optional[str] = ..., last_seq_received: _Optional[int] = ..., take_over: bool = ...) -> None: ...

class AttachResponse(_message.Message):
    __slots__ = ("last_seq_applied",)
    LAST_SEQ_APPLIED_FIELD_NUMBER: _ClassVar[int]
    last_seq_applied: int
    def __init__(self, last_seq_applied: _Optional[int] = ...) -> None: ...

class DetachRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DetachResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ConnectRequest(_message.Message):
    __slots__ = ("attach", "reset", "step", "detach")
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    attach: AttachRequest
    reset: ResetRequest
    step: StepRequest
    detach: DetachRequest
    def __init__(self, attach: _Optional[_Union[AttachRequest, _Mapping]] = ..., reset: _Optional[_Union[ResetRequest, _Mapping]] = ..., step: _Optional[_Union[StepRequest, _Mapping]] = ..., detach: _Optional[_Union[DetachRequest, _Mapping]] = ...) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("seq", "attach", "reset", "step", "detach", "error")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    seq: int
    attach: AttachResponse
    reset: ResetResponse
    step: StepResponse
    detach: DetachResponse
    error: _status_pb2.Status
    def __init__(self, seq: _Optional[int] = ..., attach: _Optional[_Union[AttachResponse, _Mapping]] = ..., reset: _Optional[_Union[ResetResponse, _Mapping]] = ..., step: _Optional[_Union[StepResponse, _Mapping]] = ..., detach: _Optional[_Union[DetachResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ListFlowsRequest(_message.Message):
    __slots__ = ("pattern", "scope", "of_handle", "limit")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    OF_HANDLE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    scope: FlowScope
    of_handle: str
    limit: int
    def __init__(self, pattern: _Optional[str] = ..., scope: _Optional[_Union[FlowScope, str]] = ..., of_handle: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class FlowEntry(_message.Message):
    __slots__ = ("handle", "name", "env_id", "observers")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENV_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVERS_FIELD_NUMBER: _ClassVar[int]
    handle: str
    name: str
    env_id: str
    observers: int
    def __init__(self, handle: _Optional[str] = ..., name: _Optional[str] = ..., env_id: _Optional[str] = ..., observers: _Optional[int] = ...) -> None: ...

class ListFlowsResponse(_message.Message):
    __slots__ = ("flows", "total")
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    flows: _containers.RepeatedCompositeFieldContainer[FlowEntry]
    total: int
    def __init__(self, flows: _Optional[_Iterable[_Union[FlowEntry, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class WatchFlowRequest(_message.Message):
    __slots__ = ("handle", "bands", "queue")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    handle: str
    bands: _containers.RepeatedScalarFieldContainer[FlowBand]
    queue: int
    def __init__(self, handle: _Optional[str] = ..., bands: _Optional[_Iterable[_Union[FlowBand, str]]] = ..., queue: _Optional[int] = ...) -> None: ...

class MembershipReport(_message.Message):
    __slots__ = ("event", "name")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    event: str
    name: str
    def __init__(self, event: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ControlReport(_message.Message):
    __slots__ = ("cwnd_bytes", "pacing_rate_bytes_per_sec", "inflight_bytes")
    CWND_BYTES_FIELD_NUMBER: _ClassVar[int]
    PACING_RATE_BYTES_PER_SEC_FIELD_NUMBER: _ClassVar[int]
    INFLIGHT_BYTES_FIELD_NUMBER: _ClassVar[int]
    cwnd_bytes: float
    pacing_rate_bytes_per_sec: float
    inflight_bytes: float
    def __init__(self, cwnd_bytes: _Optional[float] = ..., pacing_rate_bytes_per_sec: _Optional[float] = ..., inflight_bytes: _Optional[float] = ...) -> None: ...

class FaultReport(_message.Message):
    __slots__ = ("lost_packets", "timeouts")
    LOST_PACKETS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTS_FIELD_NUMBER: _ClassVar[int]
    lost_packets: float
    timeouts: float
    def __init__(self, lost_packets: _Optional[float] = ..., timeouts: _Optional[float] = ...) -> None: ...

class MeasurementReport(_message.Message):
    __slots__ = ("srtt_us", "min_rtt_us", "delivered_bytes")
    SRTT_US_FIELD_NUMBER: _ClassVar[int]
    MIN_RTT_US_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_BYTES_FIELD_NUMBER: _ClassVar[int]
    srtt_us: float
    min_rtt_us: float
    delivered_bytes: float
    def __init__(self, srtt_us: _Optional[float] = ..., min_rtt_us: _Optional[float] = ..., delivered_bytes: _Optional[float] = ...) -> None: ...

class TruthReport(_message.Message):
    __slots__ = ("capacity_bytes_per_sec", "queue_bytes", "dropped_packets")
    CAPACITY_BYTES_PER_SEC_FIELD_NUMBER: _ClassVar[int]
    QUEUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_PACKETS_FIELD_NUMBER: _ClassVar[int]
    capacity_bytes_per_sec: float
    queue_bytes: float
    dropped_packets: float
    def __init__(self, capacity_bytes_per_sec: _Optional[float] = ..., queue_bytes: _Optional[float] = ..., dropped_packets: _Optional[float] = ...) -> None: ...

class FlowReport(_message.Message):
    __slots__ = ("handle", "number", "time_us", "membership", "control", "fault", "measurement", "truth")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    handle: str
    number: int
    time_us: float
    membership: MembershipReport
    control: ControlReport
    fault: FaultReport
    measurement: MeasurementReport
    truth: TruthReport
    def __init__(self, handle: _Optional[str] = ..., number: _Optional[int] = ..., time_us: _Optional[float] = ..., membership: _Optional[_Union[MembershipReport, _Mapping]] = ..., control: _Optional[_Union[ControlReport, _Mapping]] = ..., fault: _Optional[_Union[FaultReport, _Mapping]] = ..., measurement: _Optional[_Union[MeasurementReport, _Mapping]] = ..., truth: _Optional[_Union[TruthReport, _Mapping]] = ...) -> None: ...

class OverflowNotice(_message.Message):
    __slots__ = ("overwritten", "received")
    OVERWRITTEN_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    overwritten: int
    received: int
    def __init__(self, overwritten: _Optional[int] = ..., received: _Optional[int] = ...) -> None: ...

class WatchFlowResponse(_message.Message):
    __slots__ = ("report", "overflow")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OVERFLOW_FIELD_NUMBER: _ClassVar[int]
    report: FlowReport
    overflow: OverflowNotice
    def __init__(self, report: _Optional[_Union[FlowReport, _Mapping]] = ..., overflow: _Optional[_Union[OverflowNotice, _Mapping]] = ...) -> None: ...

class MoveFlowRequest(_message.Message):
    __slots__ = ("handle", "forward", "reverse")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    REVERSE_FIELD_NUMBER: _ClassVar[int]
    handle: str
    forward: str
    reverse: str
    def __init__(self, handle: _Optional[str] = ..., forward: _Optional[str] = ..., reverse: _Optional[str] = ...) -> None: ...

class MoveFlowResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class KillFlowRequest(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: str
    def __init__(self, handle: _Optional[str] = ...) -> None: ...

class KillFlowResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

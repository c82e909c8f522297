namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Objects and bytes a second over the last minute, and in all.</summary>
internal sealed class Throughput(TimeProvider time)
{
    private const int Slots = 12, SlotSeconds = 5;
    private readonly Lock gate = new();
    private readonly (long Slot, long Objects, long Bytes)[] ring = new (long, long, long)[Slots];
    private readonly long start = time.GetTimestamp();

    public long TotalObjects { get; private set; }
    public long TotalBytes { get; private set; }

    public void Add(int objects, long bytes)
    {
        lock (gate)
        {
            var slot = Now;
            ref var at = ref ring[slot % Slots];
            if (at.Slot != slot) at = (slot, 0, 0);
            at.Objects += objects;
            at.Bytes += bytes;
            TotalObjects += objects;
            TotalBytes += bytes;
        }
    }

    public (double Objects, double Bytes) PerSecond
    {
        get
        {
            lock (gate)
            {
                var oldest = Now - Slots + 1;
                var recent = ring.Where(slot => slot.Slot >= oldest).ToArray();
                const double Seconds = Slots * SlotSeconds;
                return (recent.Sum(slot => slot.Objects) / Seconds, recent.Sum(slot => slot.Bytes) / Seconds);
            }
        }
    }

    private long Now => (long)(time.GetElapsedTime(start).TotalSeconds / SlotSeconds);
}

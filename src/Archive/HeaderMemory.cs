namespace DicomServerless.Archive;

/// <summary>
/// The memory that the headers of uploads share, beyond what each has of its own. An upload takes more as its header grows. When there is none left, one upload
/// at a time may have all that a header may take, so that somebody always comes to an end; the others wait for that.
/// </summary>
/// <param name="maxHeaderBytes">What one header may take.</param>
#pragma warning disable CA1001 // A semaphore of which nobody takes the wait handle holds nothing that has to be given back.
internal sealed class HeaderMemory(long maxHeaderBytes)
#pragma warning restore CA1001
{
    /// <summary>What a header may take without asking. Bytes: some ten times what one of an image has.</summary>
    public const int OwnBytes = 256 * 1024;

    private const int UnitBytes = 1024 * 1024;

    // Together with the one that may have all, never more than three of the largest.
    private readonly SemaphoreSlim units = new((int)Math.Max(1, 2 * maxHeaderBytes / UnitBytes)), senior = new(1), making = new(1);

    /// <summary>What one upload holds of it. Not for several threads.</summary>
    public sealed class Share(HeaderMemory memory) : IDisposable
    {
        private int taken;
        private bool isSenior;

        /// <summary>Takes what a header of this size needs, and waits for it. False if there is none within the time.</summary>
        public async Task<bool> GrowAsync(long bytes, TimeSpan patience, CancellationToken cancellationToken)
        {
            while (!isSenior && bytes > OwnBytes + ((long)taken * UnitBytes))
            {
                if (memory.units.Wait(0, CancellationToken.None)) taken++;
                else if (!await memory.senior.WaitAsync(patience, cancellationToken)) return false;
                else isSenior = true;
            }
            return true;
        }

        /// <summary>
        /// Makes of the header what the index holds. Several times its size is in use meanwhile, so that large ones go one after the other.
        /// </summary>
        public async Task<T> MakeAsync<T>(Func<T> make, CancellationToken cancellationToken)
        {
            if (taken == 0 && !isSenior) return make();
            await memory.making.WaitAsync(cancellationToken);
            try
            {
                return make();
            }
            finally
            {
                memory.making.Release();
            }
        }

        /// <summary>Gives it back.</summary>
        public void Dispose()
        {
            if (taken > 0) memory.units.Release(taken);
            if (isSenior) memory.senior.Release();
            (taken, isSenior) = (0, false);
        }
    }
}
